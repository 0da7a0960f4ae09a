# SPDX-License-Identifier: MPL-2.0
# pictures: draws what table.py has written to the folder `from`, into the folder `to`; both are given with -e. Ours are
# blue, the floor is grey.
set datafile separator "\t"
set datafile missing "?"
set terminal svg size 1100,420 font "sans-serif,12" background "white" dynamic
set linetype 1 linecolor "#08306b" pointtype 7
set linetype 2 linecolor "#2171b5" pointtype 7
set linetype 3 linecolor "#6baed6" pointtype 7
set linetype 4 linecolor "#b4d4ea" pointtype 7
set linetype 5 linecolor "#999999" pointtype 7
set linetype 6 linecolor "#b2182b" pointtype 7
set linetype 7 linecolor "#ef8a62" pointtype 7
set linetype 8 linecolor "#e6ab02" pointtype 7
set linetype 9 linecolor "#7a5195" pointtype 7
set grid ytics linecolor "#dddddd"
set key outside right top reverse Left samplen 1
set border 3
set tics nomirror out
set logscale y
columns(file) = int(system("head -n 1 '".file."' | tr '\t' '\n' | wc -l"))

data = from."/cpu.tsv"
set output to."/cpu.svg"
set title "CPU time for a delivered message, all processes of a router, at most 100 under way a sender (logarithmic; less is better)"
set ylabel "ns"
set yrange [10:*]
set style data histograms
set style histogram clustered gap 1
set style fill solid noborder
set xrange [-0.5:5.5]
plot for [column = 2:columns(data)] data using column:xtic(1) title columnheader(column)

data = from."/latency.tsv"
set output to."/latency.svg"
set title "Latency at 20,000 messages a second, by percentile (logarithmic; less is better)"
set ylabel "µs"
set yrange [*:*]
set xrange [-0.2:4.2]
plot for [column = 2:columns(data)] data using 0:column:xtic(1) with linespoints linetype (column - 1) linewidth 2 \
    pointsize 0.6 title columnheader(column)
