#!/bin/sh
# Prints each message as a person would read it: what happened, what it rests on, what to do.
jq -r '"\(.rollout): \(.sentence)", "  stage \(.stage.index) of \(.stage.count), canary \(.arms.canary.errors) of \(.arms.canary.requests) failed, stable \(.arms.stable.errors) of \(.arms.stable.requests)",
  (.gates[] | "  \(.metric): \(.rule)"), (.commands[] | "  $ " + .)' >> desk.txt
