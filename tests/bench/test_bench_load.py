"""wrk's script and report."""

import pytest

from tools.benchmarks.load import WORKLOADS, Workload, parse_report
from tools.benchmarks.results import MeasurementFailed

OUTPUT = """Running 2s test @ http://127.0.0.1:1/
  1 threads and 64 connections
Requests/sec:  12000.00

BENCH {"requests":24000,"duration_us":2000000,"p50_us":1500,"p99_us":44000,"max_us":90000,"errors":2}
"""


def test_the_report_is_read() -> None:
    report = parse_report(OUTPUT)
    assert (report.requests, report.seconds, report.errors) == (24000, 2.0, 2)
    assert (report.p50_ms, report.p99_ms, report.max_ms) == (1.5, 44.0, 90.0)


def test_what_wrk_says_instead_of_a_report_is_passed_on() -> None:
    with pytest.raises(MeasurementFailed, match="Connection refused"):
        parse_report("", "unable to connect to 127.0.0.1:1 Connection refused\n")
    with pytest.raises(MeasurementFailed, match="no output"):
        parse_report("")


def test_no_answers_are_a_failure_not_a_zero() -> None:
    with pytest.raises(MeasurementFailed, match="7 errors"):
        parse_report('BENCH {"requests":0,"duration_us":1,"p50_us":0,"p99_us":0,"max_us":0,"errors":7}')


def test_scripts_say_method_and_body() -> None:
    assert 'wrk.method = "GET"' in Workload("hello", "/", None).script()
    post = Workload("echo", "/echo", 2048).script()
    assert 'wrk.method = "POST"' in post
    assert 'string.rep("x", 2048)' in post
    assert "%(" not in post
    assert "%%" not in post


def test_the_workloads_are_hello_twice_and_two_echoes() -> None:
    assert [workload.body_bytes for workload in WORKLOADS] == [None, None, 1024, 65536]


def test_new_heads_are_written_for_each_request_and_equal_ones_once() -> None:
    assert [workload.new_heads for workload in WORKLOADS] == [False, True, False, False]
    assert "wrk.format" in WORKLOADS[1].script()
    assert "wrk.format" not in WORKLOADS[0].script()
