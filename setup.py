"""Metadata is in setup.cfg; this file exists because cffi can only be named here."""

from setuptools import setup

setup(cffi_modules=["supervisor/engine/build_native.py:builder"])
