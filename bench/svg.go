package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The picture's measures, in pixels.
const (
	svgWidth   = 760
	svgLeft    = 280 // where bars begin: scenario and proxy stand to the left
	svgRight   = 90  // behind the longest bar, for its number
	svgBar     = 16
	svgGap     = 18 // between scenarios
	svgTop     = 64
	svgNumber  = 36  // what a number takes
	svgLongest = 2.0 // ratios above this are cut and say so
)

// barColors are chosen to be told apart on white and on dark, and without colour vision.
var barColors = map[string]string{"serin": "#e07a1f", "nginx": "#4c9a6a", "haproxy": "#4a7fb5", "caddy": "#8a8a8a"}

// svg draws CPU per request, nginx being 1, one group of bars a scenario that all proxies run at full speed.
func (r *results) svg() string {
	base := bases[0]
	var bars strings.Builder
	y := svgTop
	for _, scenario := range r.Scenarios {
		if !pictured(scenario) {
			continue
		}
		drawn := 0
		for _, proxy := range r.Proxies {
			ratio := median(ratios(r.Samples, scenario, proxy, base))
			if math.IsNaN(ratio) {
				continue
			}
			if drawn == 0 {
				fmt.Fprintf(&bars, `<text class="name" x="12" y="%d">%s</text>`+"\n", y+svgBar-4, html.EscapeString(shortAbout(scenario)))
			}
			drawBar(&bars, y, proxy, ratio)
			y += svgBar + 3
			drawn++
		}
		if drawn > 0 {
			y += svgGap
		}
	}
	one := barEnd(1)
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12" role="img">
<title>CPU per request, %s = 1; less is better</title>
<style>text{fill:#333}.name{font-weight:600}.proxy{text-anchor:end}.small{font-size:11px;fill:#777}line{stroke:#999;stroke-dasharray:3 3}
@media(prefers-color-scheme:dark){text{fill:#ddd}.small{fill:#aaa}}</style>
<text class="name" x="12" y="22" font-size="15">CPU per request, %s = 1 (less is better)</text>
<text class="small" x="12" y="42">%s</text>
<line x1="%d" x2="%d" y1="%d" y2="%d"/>
%s</svg>
`, svgWidth, y, base, base, html.EscapeString(r.Date+", "+r.Machine), one, one, svgTop-8, y-svgGap+4, bars.String())
}

func drawBar(b *strings.Builder, y int, proxy string, ratio float64) {
	end := barEnd(ratio)
	label := fmt.Sprintf("%.2f", ratio)
	if ratio > svgLongest {
		label += " (cut)"
	}
	kind, _, _ := strings.Cut(proxy, "-")
	number := end + 5
	if one := barEnd(1); number <= one && one <= number+svgNumber {
		number = one + 5 // clear of the line
	}
	fmt.Fprintf(b, `<text class="proxy" x="%d" y="%d">%s</text><rect x="%d" y="%d" width="%d" height="%d" rx="2" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n",
		svgLeft-6, y+svgBar-4, html.EscapeString(proxy), svgLeft, y, end-svgLeft, svgBar, barColors[kind], number, y+svgBar-4, label)
}

// pictured scenarios say most of a proxy; a name that this program does not know is shown too.
func pictured(name string) bool {
	for _, s := range scenarios {
		if s.name == name {
			return s.only == "" && s.rate == 0 && s.idle == 0
		}
	}
	return true
}

// barEnd is where a ratio's bar ends.
func barEnd(ratio float64) int {
	room := float64(svgWidth - svgLeft - svgRight)
	return svgLeft + int(math.Round(room*min(ratio, svgLongest)/svgLongest))
}

// shortAbout leaves the usual 64 connections unsaid.
func shortAbout(name string) string {
	return strings.Replace(about(name), ", 64 connections", "", 1)
}
