"""What the page of a run adds to the style sheet of the timeline."""

MORE_STYLE = """
header { display: flex; flex-wrap: wrap; gap: 8px 24px; align-items: end; justify-content: space-between; }
.kind { font-size: 13px; }
#state { color: var(--ink); }
progress { width: 100%; height: 10px; margin: 14px 0 0; accent-color: var(--fit); }
.figures, .figures dl { display: flex; flex-wrap: wrap; gap: 12px 36px; align-items: center; }
.figures dl { flex: 1 1 400px; margin: 0; }
.figures .wide { flex: 1 1 220px; min-width: 0; }
dt { color: var(--soft); font-size: 13px; }
dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.hero { font-size: 30px; font-weight: 650; line-height: 1.2; }
button { padding: 9px 16px; border: 1px solid var(--bad); border-radius: 8px; background: none; color: var(--bad);
  font: inherit; cursor: pointer; }
button:hover:enabled { background: var(--bad); color: var(--card); }
button:disabled { border-color: var(--rule); color: var(--soft); cursor: default; }
#curve { height: 320px; }
th:last-child, td:last-child { text-align: right; }
svg .area { fill: var(--fit); opacity: .12; }
svg .curve { stroke: var(--fit); }
svg .dot { fill: var(--fit); }
svg .now { stroke: var(--soft); stroke-dasharray: 3 3; }
"""
