"""The script of the page: draws a status, asks for the next one, sends the wish to stop.

Every name becomes text (textContent), never markup. Time is logarithmic, log(1 + t / t0), as in the area under the
learning curve; t0 is a twentieth of the budget, as it is in the challenge (60 s of 1,200 s).
"""

SCRIPT = r"""
(function () {
"use strict";
const SVG = "http://www.w3.org/2000/svg";
const POLL_MS = 1000, LOST_AFTER = 3;
const HEIGHT = 320, LEFT = 48, RIGHT = 24, TOP = 16, BOTTOM = 44, LABEL_PX = 52;
const TICKS_S = [0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400, 172800];
const STATES = { starting: "Starting", running: "Running", stopping: "Stopping", done: "Done" };
const live = document.body.dataset.live === "yes";
const byId = (id) => document.getElementById(id);
let lost = 0, drawn = null;

function secondsText(seconds) {
  if (seconds < 0.0995) return Math.round(1000 * seconds) + " ms";
  if (seconds < 10) return Number(seconds.toPrecision(2)) + " s";
  if (seconds < 120) return Math.round(seconds) + " s";
  const minutes = Math.floor(seconds / 60), rest = Math.round(seconds % 60);
  if (minutes < 60) return minutes + " min" + (rest ? " " + rest + " s" : "");
  return Math.floor(minutes / 60) + " h" + (minutes % 60 ? " " + (minutes % 60) + " min" : "");
}

function scoreText(score) { return score === null ? "\u2013" : score.toFixed(4); }

function shape(parent, name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return parent.appendChild(node);
}

function drawCurve(status) {
  const svg = byId("curve");
  const WIDTH = Math.max(svg.clientWidth, 280);  // a unit is a pixel, so that a narrow screen has readable labels
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.textContent = "";
  const curve = status.curve.filter((point) => point[1] !== null);
  const end = Math.max(status.budget_s || 0, status.elapsed_s, 1e-3), t0 = end / 20;
  const lowest = Math.floor(5 * Math.min(0, ...curve.map((point) => point[1]))) / 5;
  const x = (seconds) =>
    LEFT + Math.min(Math.log1p(seconds / t0) / Math.log1p(end / t0), 1) * (WIDTH - LEFT - RIGHT);
  const y = (score) => TOP + ((1 - score) / (1 - lowest)) * (HEIGHT - TOP - BOTTOM);
  const floor = HEIGHT - BOTTOM;
  for (let fifth = Math.round(5 * lowest); fifth <= 5; fifth++) {
    shape(svg, "line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(fifth / 5), y2: y(fifth / 5) });
    shape(svg, "text", { class: "end", x: LEFT - 8, y: y(fifth / 5) + 4 }, (fifth / 5).toFixed(1));
  }
  let previous = 0;
  const ticks = TICKS_S.filter((seconds) => {
    const fits = x(seconds) - x(previous) >= LABEL_PX && seconds < end && x(end) - x(seconds) >= LABEL_PX;
    if (fits) previous = seconds;
    return fits;
  });
  for (const seconds of [0, ...ticks, end]) {
    shape(svg, "line", { class: "grid", x1: x(seconds), x2: x(seconds), y1: TOP, y2: floor });
    shape(svg, "text", { class: "mid", x: x(seconds), y: floor + 18 }, seconds ? secondsText(seconds) : "0");
  }
  const now = status.elapsed_s;
  if (status.state !== "done") shape(svg, "line", { class: "now", x1: x(now), x2: x(now), y1: TOP, y2: floor });
  if (!curve.length) return;
  const corners = [[x(curve[0][0]), y(curve[0][1])]];
  for (const [seconds, score] of curve.slice(1)) {
    corners.push([x(seconds), corners[corners.length - 1][1]], [x(seconds), y(score)]);
  }
  const until = Math.max(x(now), corners[corners.length - 1][0]);
  corners.push([until, corners[corners.length - 1][1]]);
  const path = corners.map((corner) => corner.map((value) => value.toFixed(1)).join(",")).join(" ");
  shape(svg, "polygon", { class: "area", points: `${corners[0][0]},${y(0)} ${path} ${until},${y(0)}` });
  shape(svg, "polyline", { class: "curve", points: path });
  for (const [seconds, score] of curve) {
    const dot = shape(svg, "circle", { class: "dot", cx: x(seconds), cy: y(score), r: 4 });
    shape(dot, "title", {}, secondsText(seconds) + ": " + scoreText(score));
  }
}

function drawStages(status) {
  const rows = status.stages.map((stage, place) => {
    const row = document.createElement("tr");
    const runs = place >= status.n_stages;
    if (stage.failed) row.className = "failed";
    const score = runs ? "running" : stage.failed ? "failed" : scoreText(stage.score);
    const cells = [stage.name, secondsText(stage.started_s), runs ? "" : secondsText(stage.fit_s), score,
      stage.weight ? stage.weight.toFixed(2) : "\u2013"];
    for (const text of cells) row.appendChild(document.createElement("td")).textContent = text;
    return row;
  });
  byId("stages").replaceChildren(...rows.reverse());
}

function draw(status) {
  drawn = status;
  const running = status.state === "running" || status.state === "starting";
  const next = status.next_s === null || !status.stage ? "" :
    status.next_s < 1 ? " (about to end)" : " (about " + secondsText(Math.round(status.next_s)) + " left)";
  byId("state").textContent = STATES[status.state] || status.state;
  byId("clock").textContent =
    secondsText(Math.round(status.elapsed_s)) + (status.budget_s ? " of " + secondsText(status.budget_s) : "");
  byId("share").value = status.budget_s ? Math.min(status.elapsed_s / status.budget_s, 1) : 0;
  byId("score").textContent = scoreText(status.score);
  byId("n-stages").textContent = status.n_stages;
  byId("stage").textContent = (status.stage || "\u2013") + next;
  byId("stop").hidden = !live || status.state === "done";
  byId("stop").disabled = !running;
  if (status.state === "done") byId("message").textContent = "The run is over; its answer is kept.";
  drawCurve(status);
  drawStages(status);
}

async function poll() {
  let over = false;
  try {
    const answer = await fetch("status.json", { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const status = await answer.json();
    lost = 0;
    over = status.state === "done";
    draw(status);
  } catch (error) {
    lost += 1;
    over = lost >= LOST_AFTER;
    byId("message").textContent = "The program behind this page does not answer: it has ended, or is busy.";
    if (over) byId("stop").hidden = true;
  }
  if (!over) setTimeout(poll, POLL_MS);
}

async function stop() {
  byId("stop").disabled = true;
  byId("message").textContent = "Asked to stop; the best so far is kept.";
  try {
    const answer = await fetch("stop", { method: "POST" });
    if (!answer.ok) throw new Error(String(answer.status));
  } catch (error) {
    byId("stop").disabled = false;
    byId("message").textContent = "The wish to stop was not received; try again, or press Ctrl-C in the terminal.";
  }
}

const first = JSON.parse(byId("status").textContent);
draw(first);
window.addEventListener("resize", () => drawCurve(drawn));
if (live) {
  byId("stop").addEventListener("click", stop);
  if (first.state !== "done") setTimeout(poll, POLL_MS);
} else if (first.state !== "done") {
  const written = new Date(1000 * Number(document.body.dataset.written));
  byId("written").textContent = "As of " + written.toLocaleTimeString() + "; a new page follows each change.";
}
})();
"""
