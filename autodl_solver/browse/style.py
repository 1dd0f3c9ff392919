"""The style sheet of the page: light and dark, wide and narrow."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --ink: #161a20; --soft: #5a6472; --rule: #e4e7ec; --accent: #1f63c0;
  --line-1: #c05a00; --line-2: #1a7f4b; --line-3: #8a3ab9; --line-4: #b3261e; --line-5: #5a6472;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101317; --card: #181c22; --ink: #e9ecf1; --soft: #9aa4b2; --rule: #2a3039; --accent: #6ea8fe;
    --line-1: #f0b849; --line-2: #5cc98d; --line-3: #cf9bf2; --line-4: #ff8a80; --line-5: #9aa4b2;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 32px 20px; }
h1 { margin: 0; font-size: 26px; font-weight: 650; overflow-wrap: anywhere; }
h2 { margin: 0 0 10px; font-size: 15px; font-weight: 600; }
h3 { margin: 18px 0 6px; font-size: 14px; font-weight: 600; overflow-wrap: anywhere; }
h2 + h3 { margin-top: 0; }
p { margin: 4px 0; color: var(--soft); overflow-wrap: anywhere; }
section { margin: 16px 0; padding: 18px 20px; border: 1px solid var(--rule); border-radius: 10px;
  background: var(--card); }
dl { display: flex; flex-wrap: wrap; gap: 12px 32px; margin: 0; }
dt { color: var(--soft); font-size: 13px; }
dd { margin: 0; font-size: 17px; font-weight: 550; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { font-weight: 500; text-align: left; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
.bars { width: 100%; }
.bars th { width: 1%; padding: 2px 12px 2px 0; }
.bars span { display: block; max-width: 260px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bars .number { width: 1%; padding: 2px 12px 2px 0; text-align: right; }
.bar i { display: block; min-width: 1px; height: 12px; border-radius: 2px; background: var(--accent); }
.columns { width: 100%; }
.columns th, .columns td { padding: 4px 10px 4px 0; border-bottom: 1px solid var(--rule); white-space: nowrap; }
.columns td { text-align: right; }
.columns thead { color: var(--soft); font-size: 13px; }
.examples { display: flex; flex-wrap: wrap; gap: 10px 14px; }
figure { margin: 0; }
figcaption { max-width: 260px; color: var(--soft); font-size: 12px; overflow-wrap: anywhere; }
.strip { display: flex; gap: 2px; }
.image .strip img { height: 96px; max-width: 220px; object-fit: contain; image-rendering: pixelated; }
.video .strip img { height: 64px; image-rendering: pixelated; }
figure svg { display: block; width: 240px; height: 72px; border: 1px solid var(--rule); border-radius: 4px; }
.wave { fill: var(--accent); stroke: var(--accent); stroke-width: 0.5; }
polyline { fill: none; stroke-width: 1.5; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
.line-0 { stroke: var(--accent); }
.line-1 { stroke: var(--line-1); }
.line-2 { stroke: var(--line-2); }
.line-3 { stroke: var(--line-3); }
.line-4 { stroke: var(--line-4); }
.line-5 { stroke: var(--line-5); }
.text figure { flex: 1 1 300px; padding: 8px 10px; border: 1px solid var(--rule); border-radius: 6px; }
.text figure p { margin: 0 0 4px; color: var(--ink); }
figure table { font-size: 12px; }
figure th, figure td { padding: 1px 8px 1px 0; border-bottom: 1px solid var(--rule); }
figure th { max-width: 160px; color: var(--soft); }
figure td { text-align: right; }
"""
