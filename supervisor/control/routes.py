"""The table of all routes: the handlers are reached by it, and the document is made from it."""

from __future__ import annotations

from supervisor.control import bundles, documents, hosts, tasks
from supervisor.control.api import Access
from supervisor.control.parameters import BOOLEAN, DIGEST, HOST, LABEL, NUMBER, TAIL, WHICH, Parameter
from supervisor.control.route import EVERYWHERE, Answer, Content, Route, view, views
from supervisor.spec.events import Event
from supervisor.spec.views import (
    AppliedView,
    BlockView,
    HandoverView,
    HostView,
    LogChunk,
    LogLine,
    MemberView,
    TaskView,
)

TASK = Parameter("label", "path", LABEL, "the task's id as a text")
BUNDLE = Parameter("digest", "path", DIGEST, "SHA-256 of the bundle's tar before compression")
APPLY = (
    Parameter("dryRun", "query", BOOLEAN, "only tell what would be done", default=False),
    Parameter("bundle", "query", DIGEST, "an uploaded bundle: its folder is the task's pwd"),
)
SETTINGS = Content(shape="settings")
APPLIED = {
    200: view(AppliedView, "what was done, or would be done"),
    201: view(AppliedView, "the task was created"),
}
FIGURES = EVERYWHERE | {Access.PUBLIC}
LINES = Answer(
    "the last lines; followed: those and the ones to come, one object per line",
    (Content(view=LogChunk), Content("application/x-ndjson", LogLine)),
)
EVENTS = Answer(
    "events; `id` is the event's number, `event` its kind, `data` the event", (Content(hosts.EVENT_STREAM, Event),)
)

ROUTES: tuple[Route, ...] = (
    Route(
        "PUT", "/v1/tasks/{label}", "applyTask", "Makes the task be as its settings say", tasks.apply_named,
        APPLIED, "tasks", (TASK, *APPLY), SETTINGS, refusals=(404, 409, 413, 415, 422, 503, 507),
    ),
    Route(
        "POST", "/v1/apply", "apply", "The same, for the task that the settings name", tasks.apply_any,
        APPLIED, "tasks", APPLY, SETTINGS, refusals=(404, 409, 413, 415, 422, 503, 507),
    ),
    Route(
        "GET", "/v1/tasks", "listTasks", "All tasks by id, without their settings", tasks.list_tasks,
        {200: views(TaskView, "the tasks")}, "tasks",
        (
            Parameter(
                "everywhere", "query", BOOLEAN,
                "those of all hosts of the cluster; `Isolated-Silent-Hosts` names hosts that did not answer",
                default=False,
            ),
        ),
    ),
    Route(
        "GET", "/v1/tasks/{label}", "getTask", "A task with its settings", tasks.get_task,
        {200: view(TaskView, "the task")}, "tasks", (TASK,), refusals=(404, 503),
    ),
    Route(
        "DELETE", "/v1/tasks/{label}", "removeTask", "Stops and forgets a task", tasks.remove_task,
        {204: Answer("it is gone")}, "tasks", (TASK,), refusals=(404, 503, 507),
    ),
    Route(
        "POST", "/v1/tasks/{label}/stop", "stopTask", "Drains a task; it stays stopped until it is started",
        tasks.stop_task, {200: view(TaskView, "the task")}, "tasks", (TASK,), refusals=(404, 503, 507),
    ),
    Route(
        "POST", "/v1/tasks/{label}/start", "startTask", "Starts a stopped task", tasks.start_task,
        {200: view(TaskView, "the task")}, "tasks", (TASK,), refusals=(404, 409, 422, 503, 507),
    ),
    Route(
        "GET", "/v1/tasks/{label}/logs", "getLogs", "A task's log", tasks.get_logs, {200: LINES}, "tasks",
        (
            TASK,
            Parameter("tail", "query", TAIL, "how many lines back, as far as they are kept", default=100),
            Parameter("follow", "query", BOOLEAN, "stay, and tell the lines to come", default=False),
        ),
        refusals=(404, 503),
    ),
    Route(
        "GET", "/v1/hosts", "listHosts", "The hosts of the cluster, newest first", hosts.list_hosts,
        {200: views(MemberView, "the hosts; none without a cluster")}, "host",
    ),
    Route(
        "DELETE", "/v1/hosts/{host}", "forgetHost", "Makes all hosts forget one that failed or left",
        hosts.forget_host, {204: Answer("it counts no more")}, "host",
        (Parameter("host", "path", HOST, "its id"),), refusals=(404, 503),
    ),
    Route(
        "GET", "/v1/events", "followEvents", "What happens on the host, as it happens", hosts.follow_events,
        {200: EVENTS}, "host",
        (
            Parameter("after", "query", NUMBER, "begin after this event, if it is still kept; absent: with new ones"),
            Parameter("Last-Event-ID", "header", NUMBER, "the same, from a client that connects again"),
        ),
        refusals=(503,),
    ),
    Route(
        "GET", "/v1/blocks", "listBlocks", "Scripts that are not started again for now", hosts.list_blocks,
        {200: views(BlockView, "the blocks, oldest first")}, "host",
    ),
    Route(
        "DELETE", "/v1/blocks/{which}", "release", "Lifts blocks", hosts.release,
        {200: views(BlockView, "those that were lifted")}, "host",
        (Parameter("which", "path", WHICH, "a task's id, or at least 8 digits of the hash of its sources"),),
        refusals=(404, 503, 507),
    ),
    Route(
        "GET", "/v1/status", "getStatus", "The host", hosts.get_status, {200: view(HostView, "the host")}, "host",
    ),
    Route(
        "POST", "/v1/drain", "drain", "Asks the host to answer what is under way, and to stop", hosts.drain,
        {202: view(hosts.AcceptedView, "it will")}, "host", refusals=(503,),
    ),
    Route(
        "POST", "/v1/upgrade", "upgrade", "Hands over to a fresh process", hosts.upgrade,
        {200: view(HandoverView, "the successor has taken over")}, "host",
        body=Content(view=hosts.UpgradeRequest), body_required=False, refusals=(403, 413, 415, 502, 503),
    ),
    Route(
        "HEAD", "/v1/bundles/{digest}", "hasBundle", "Whether a bundle is stored", bundles.has_bundle,
        {200: Answer("it is")}, "bundles", (BUNDLE,), refusals=(404,),
    ),
    Route(
        "PUT", "/v1/bundles/{digest}", "putBundle", "Stores a bundle: a tar, compressed", bundles.put_bundle,
        {200: view(bundles.BundleView, "it was there"), 201: view(bundles.BundleView, "it is stored")}, "bundles",
        (BUNDLE,), Content("application/octet-stream", shape="binary"), refusals=(413, 415, 422, 503, 507),
    ),
    Route(
        "GET", "/metrics", "getMetrics", "Figures in Prometheus' text format", hosts.get_metrics,
        {200: Answer("the figures", (Content("text/plain", shape="text"),))}, "figures", access=FIGURES,
    ),
    Route(
        "GET", "/healthz", "getHealth", "Whether the host serves", hosts.get_health,
        {200: view(hosts.HealthView, "it does")}, "figures", refusals=(503,), access=FIGURES,
    ),
    Route(
        "GET", "/v1/openapi.json", "getDocument", "This document", documents.get_document,
        {200: Answer("an OpenAPI 3.1 document", (Content(shape="object"),))}, "figures",
    ),
)  # fmt: skip
