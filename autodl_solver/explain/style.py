"""The style sheet of the page: light and dark."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --ink: #161a20; --soft: #5a6472; --rule: #e4e7ec;
  --fit: #1f63c0; --pass: #c77700; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101317; --card: #181c22; --ink: #e9ecf1; --soft: #9aa4b2; --rule: #2a3039;
    --fit: #6ea8fe; --pass: #f0b849; --bad: #ff8a80;
  }
}
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 32px 20px; }
h1 { margin: 0; font-size: 26px; font-weight: 650; overflow-wrap: anywhere; }
p { margin: 0 0 4px; color: var(--soft); }
section { margin: 16px 0; padding: 18px 20px; border: 1px solid var(--rule); border-radius: 10px;
  background: var(--card); }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.mid { text-anchor: middle; }
.end { text-anchor: end; }
.grid { stroke: var(--rule); }
.curve { fill: none; stroke: var(--ink); stroke-width: 2; stroke-linejoin: round; }
rect.fit { fill: var(--fit); }
rect.pass { fill: var(--pass); }
rect.failed { fill: var(--bad); }
.legend i { display: inline-block; width: 12px; height: 12px; margin: 0 6px 0 12px; vertical-align: -1px; }
i.fit { background: var(--fit); }
i.pass { background: var(--pass); }
i.failed { background: var(--bad); }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th { color: var(--soft); font-size: 13px; font-weight: 500; }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
td:last-child { white-space: normal; }
tr.failed td { color: var(--bad); }
tbody tr:last-child td { border-bottom: 0; }
"""
