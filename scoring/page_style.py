"""The style sheet of the results page: light and dark, wide and narrow."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --ink: #161a20; --soft: #5a6472; --rule: #e4e7ec; --base: #b4bbc6;
  --accent: #1f63c0; --good: #1a7f4b; --bad: #b3261e; --warn: #8a5a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101317; --card: #181c22; --ink: #e9ecf1; --soft: #9aa4b2; --rule: #2a3039; --base: #4a5361;
    --accent: #6ea8fe; --good: #5cc98d; --bad: #ff8a80; --warn: #f0b849;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 32px 20px 40px; }
header { display: flex; flex-wrap: wrap; align-items: flex-end; justify-content: space-between; gap: 8px 24px; }
h1 { margin: 0; font-size: 26px; line-height: 1.25; font-weight: 650; overflow-wrap: anywhere; }
h2 { margin: 0 0 8px; font-size: 15px; font-weight: 600; }
.title { min-width: 0; }
.kind, .hero p, dt { margin: 0; color: var(--soft); font-size: 13px; }
.state { margin: 0; color: var(--soft); font-variant-numeric: tabular-nums; }
.state b { color: var(--accent); }
.state.waiting b { color: var(--soft); }
.state.finished b { color: var(--good); }
.state.stopped b { color: var(--warn); }
.state.failed b { color: var(--bad); }
.progress { height: 4px; margin: 14px 0 0; border-radius: 2px; background: var(--rule); overflow: hidden; }
.progress i { display: block; height: 100%; background: var(--accent); }
.progress.finished i { background: var(--good); }
.progress.stopped i { background: var(--warn); }
.progress.failed i { background: var(--bad); }
.cause { margin: 14px 0 0; padding: 10px 14px; border-left: 3px solid var(--warn); background: var(--card);
  overflow-wrap: anywhere; }
.progress.failed + .cause { border-color: var(--bad); }
.figures { display: flex; flex-wrap: wrap; align-items: flex-end; gap: 16px 48px; margin: 24px 0 20px; }
.hero strong { display: block; font-size: 56px; line-height: 1.05; font-weight: 650; letter-spacing: -0.02em; }
dl { display: flex; flex-wrap: wrap; gap: 12px 32px; margin: 0 0 4px; }
dd { margin: 0; font-size: 19px; font-weight: 550; font-variant-numeric: tabular-nums; }
.card { margin: 0 0 16px; padding: 18px 20px; border: 1px solid var(--rule); border-radius: 10px;
  background: var(--card); }
.empty { margin: 0; color: var(--soft); }
svg { display: block; width: 100%; height: auto; }
svg.narrow { display: none; }
svg text { font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.tick.mid { text-anchor: middle; }
.end { text-anchor: end; }
.axis-name { font-weight: 550; }
.grid { stroke: var(--rule); stroke-width: 1; }
.base, .mark { stroke: var(--base); stroke-width: 1; }
.area { fill: var(--accent); opacity: 0.13; }
.curve { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }
.held { stroke: var(--accent); stroke-width: 2; stroke-dasharray: 3 5; opacity: 0.7; }
.now { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 3; }
.dot circle { fill: var(--accent); stroke: var(--card); stroke-width: 1; }
.dot circle.target { fill: transparent; stroke: none; }
.dot:hover circle:not(.target) { stroke: var(--ink); }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th { color: var(--soft); font-size: 13px; font-weight: 500; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
tbody tr:last-child td { border-bottom: 0; }
summary { margin-top: 10px; color: var(--soft); cursor: pointer; }
footer { color: var(--soft); font-size: 13px; }
footer p { margin: 0 0 6px; }
@media (max-width: 640px) {
  main { padding: 20px 14px 28px; }
  .card { padding: 14px 12px; }
  .hero strong { font-size: 46px; }
  svg.wide { display: none; }
  svg.narrow { display: block; }
}
"""
