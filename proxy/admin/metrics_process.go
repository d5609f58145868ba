package admin

import (
	"bufio"
	"bytes"
	"strings"

	"github.com/VictoriaMetrics/metrics"
)

// processFamilies are the process and Go metrics we show, with the text the source leaves out. Names not listed are
// dropped: some break Prometheus' naming rules, and nobody watches a proxy by them.
var processFamilies = []struct{ name, kind, help string }{
	{"process_cpu_seconds_total", "counter", "User and system CPU time."},
	{"process_max_fds", "gauge", "Descriptors this process may open."},
	{"process_open_fds", "gauge", "Descriptors open now."},
	{"process_resident_memory_bytes", "gauge", "Resident memory."},
	{"process_resident_memory_peak_bytes", "gauge", "Most resident memory so far."},
	{"process_start_time_seconds", "gauge", "Start of the process, Unix time."},
	{"process_virtual_memory_bytes", "gauge", "Virtual memory."},
	{"go_gc_duration_seconds", "summary", "Pauses of garbage collections."},
	{"go_gomaxprocs", "gauge", "Threads that may run Go code at once."},
	{"go_goroutines", "gauge", "Goroutines now."},
	{"go_info", "gauge", "A constant 1 with the version of Go."},
	{"go_memlimit_bytes", "gauge", "The soft memory limit."},
	{"go_memstats_alloc_bytes", "gauge", "Heap in use by objects."},
	{"go_memstats_alloc_bytes_total", "counter", "Heap allocated so far."},
	{"go_memstats_heap_inuse_bytes", "gauge", "Heap spans in use."},
	{"go_memstats_heap_objects", "gauge", "Objects on the heap."},
	{"go_memstats_mallocs_total", "counter", "Objects allocated so far."},
	{"go_memstats_next_gc_bytes", "gauge", "Heap size of the next collection."},
	{"go_memstats_sys_bytes", "gauge", "Memory obtained from the system."},
	{"go_mutex_wait_seconds_total", "counter", "Time goroutines waited for locks."},
	{"go_threads", "gauge", "Threads of the operating system."},
}

// writeProcess regroups what VictoriaMetrics/metrics reads, family by family.
func writeProcess(e *exposition) {
	var raw bytes.Buffer
	metrics.WriteProcessMetrics(&raw)
	metrics.WriteFDMetrics(&raw)
	byFamily := map[string][]string{}
	for lines := bufio.NewScanner(&raw); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, _, _ := strings.Cut(line, " ")
		name, _, _ = strings.Cut(name, "{")
		if family, ok := strings.CutPrefix(name, "go_gc_duration_seconds_"); ok && (family == "sum" || family == "count") {
			name = "go_gc_duration_seconds"
		}
		byFamily[name] = append(byFamily[name], line)
	}
	for _, f := range processFamilies {
		if len(byFamily[f.name]) == 0 {
			continue
		}
		e.family(f.name, f.kind, f.help)
		for _, line := range byFamily[f.name] {
			e.b.WriteString(line + "\n")
		}
	}
}
