package main

import (
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// limitMemory tells the garbage collector and the proxy what the process may use: what the configuration says, else
// GOMEMLIMIT, else the control group. Of a limit of the whole process a tenth is left for what the collector does not
// know: buffers of the kernel, the binary, the collector's own lateness.
func (d *serinDaemon) limitMemory(configured int64) {
	limit := collected(configured)
	if limit == 0 && d.given < math.MaxInt64 {
		limit = d.given
	} else if limit == 0 {
		limit = collected(groupMemory(os.DirFS("/")))
	}
	if limit == 0 {
		debug.SetMemoryLimit(d.given)
	} else {
		debug.SetMemoryLimit(limit)
	}
	if limit != d.limited {
		d.log.Info("memory is limited", "bytes", limit)
	}
	d.limited = limit
	d.proxy.LimitMemory(limit)
}

// collected is the part of a limit that the collector is given.
func collected(limit int64) int64 { return limit / 10 * 9 }

// groupMemory is the least memory limit of the control groups around the process (cgroups(7)), version 1 or 2, in bytes; 0:
// none. Root is the file system's.
func groupMemory(root fs.FS) int64 {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	least := int64(math.MaxInt64)
	for line := range strings.Lines(string(groups)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		dir, file := "sys/fs/cgroup", "memory.max"
		if controllers == "memory" {
			dir, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		} else if controllers != "" {
			continue
		}
		for group = path.Clean("/" + group); ; group = path.Dir(group) {
			least = min(least, limitIn(root, path.Join(dir, group, file)))
			if group == "/" {
				break
			}
		}
	}
	if least > 1<<60 { // version 1 writes none as a very large number
		return 0
	}
	return least
}

// limitIn reads one limit.
func limitIn(root fs.FS, name string) int64 {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return math.MaxInt64
	}
	limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || limit <= 0 {
		return math.MaxInt64 // "max"
	}
	return limit
}
