#!/bin/sh
# Keeps every message, a line each.
cat >> desk.jsonl
