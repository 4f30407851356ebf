// The explorer's page: moving clips, sorted tables, and where a number comes from. Reads nothing but this folder.
"use strict";

const FRAME_MS = 100;
const data = JSON.parse(document.getElementById("data").textContent);

// Clips: a sheet has a row for each clip and a column for each frame; a canvas shows one of its cells.

const sheets = new Map();

function sheetOf(canvas) {
  const name = canvas.dataset.sheet;
  if (!sheets.has(name)) {
    const image = new Image();
    sheets.set(name, new Promise((resolve) => { image.onload = () => resolve(image); }));
    image.src = name;
  }
  return sheets.get(name);
}

function movePanel(panel) {
  const frames = Number(panel.dataset.frames);
  const given = Number(panel.dataset.given);
  const canvases = [...panel.querySelectorAll("canvas")];
  const axes = [...panel.querySelectorAll("[data-axis]")];
  const time = panel.querySelector("[data-time]");
  const play = panel.querySelector(".play");
  const loaded = new Map();
  let visible = false;
  let timer = 0;
  panel.style.setProperty("--frames", frames);
  panel.style.setProperty("--past", given);

  function picked() {
    return Object.fromEntries(axes.map((axis) => {
      const input = axis.querySelector("input:checked") || axis;
      return [axis.dataset.axis, { at: Number(input.value), words: wordsOf(axis, input) }];
    }));
  }

  function wordsOf(axis, input) {
    if (axis.dataset.words) return `${axis.dataset.axis} ${axis.dataset.words.split("|")[input.value]}`;
    return `${axis.querySelector("legend").textContent} ${input.parentElement.textContent.trim()}`;
  }

  function draw() {
    const at = Number(time.value) - 1;
    const now = picked();
    panel.style.setProperty("--at", at);
    for (const canvas of canvases) {
      const names = (canvas.dataset.axes || "").split(" ").filter(Boolean);
      const sizes = (canvas.dataset.sizes || "").split(" ").map(Number);
      const row = "row" in canvas.dataset
        ? Number(canvas.dataset.row)
        : names.reduce((before, name, place) => before * sizes[place] + (now[name]?.at ?? 0), 0);
      if (canvas.getAttribute("role") === "img") {
        const label = canvas.parentElement.querySelector("figcaption").textContent;
        canvas.setAttribute("aria-label", [label, ...names.map((name) => now[name]?.words).filter(Boolean)].join("; "));
        if (given) canvas.dataset.toCome = at >= given;
      }
      const image = loaded.get(canvas);
      if (!image) continue;
      const { width, height } = canvas;
      const left = "whole" in canvas.dataset ? 0 : at * width;
      canvas.getContext("2d").drawImage(image, left, row * height, width, height, 0, 0, width, height);
    }
    for (const mark of panel.querySelectorAll(".strip i")) mark.dataset.toCome = at >= given;
    const which = given ? (at < given ? ", given" : ", foreseen") : "";
    time.nextElementSibling.textContent = `${at + 1} of ${frames}${which}`;
    time.setAttribute("aria-valuetext", `frame ${at + 1} of ${frames}${which}`);
    for (const axis of axes) {
      if (!axis.dataset.words) continue;
      axis.nextElementSibling.textContent = axis.dataset.words.split("|")[axis.value];
      axis.setAttribute("aria-valuetext", axis.nextElementSibling.textContent);
    }
  }

  function load() {
    for (const canvas of canvases) sheetOf(canvas).then((image) => { loaded.set(canvas, image); draw(); });
  }

  function playing(on) {
    play.setAttribute("aria-pressed", on);
    play.textContent = on ? "Pause" : "Play";
    clearInterval(timer);
    timer = on && setInterval(() => {
      if (!visible) return;
      time.value = (Number(time.value) % frames) + 1;
      draw();
    }, FRAME_MS);
  }

  function scrub(strip, event) {
    const box = strip.getBoundingClientRect();
    time.value = 1 + Math.floor((frames * (event.clientX - box.left)) / box.width);
    playing(false);
    draw();
  }

  play.addEventListener("click", () => playing(play.getAttribute("aria-pressed") === "false"));
  time.addEventListener("input", () => playing(false));
  panel.addEventListener("input", draw);
  for (const strip of panel.querySelectorAll(".strip")) {
    strip.addEventListener("pointerdown", (event) => scrub(strip, event));
    strip.addEventListener("pointermove", (event) => { if (event.buttons) scrub(strip, event); });
  }
  new IntersectionObserver((entries) => {
    const first = entries.some((entry) => entry.isIntersecting) && !loaded.size && !visible;
    visible = entries[entries.length - 1].isIntersecting;
    if (first) load();
  }, { rootMargin: "200px" }).observe(panel);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  still.addEventListener("change", () => { if (still.matches) playing(false); });
  playing(!still.matches);
  draw();
}

// Tables: the head of a column sorts; what has no value stays last.

function keyOf(row, column) {
  const cell = row.cells[column];
  return "value" in cell.dataset ? Number(cell.dataset.value) : column ? null : cell.textContent;
}

function sort(head) {
  const table = head.closest("table");
  const descending = head.getAttribute("aria-sort") === "ascending" || (head.cellIndex && !head.hasAttribute("aria-sort"));
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows].map((row) => [keyOf(row, head.cellIndex), row]);
  rows.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    const order = typeof a === "string" ? a.localeCompare(b) : a - b;
    return descending ? -order : order;
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

// Numbers: any measure of any data set, and the chain of files and jobs behind a value.

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function numberButton(id) {
  const attributes = { type: "button", class: "number", "data-id": id, "aria-haspopup": "dialog" };
  return element("button", data.values[id].text, attributes);
}

function showMeasures() {
  const dataset = document.getElementById("of-data").value;
  const options = (data.measures[dataset] || []).map(([name, words]) => element("option", words, { value: name }));
  document.getElementById("of-measure").replaceChildren(...options);
  showMeasure();
}

function showMeasure() {
  const dataset = document.getElementById("of-data").value;
  const select = document.getElementById("of-measure");
  const table = document.getElementById("measure");
  const named = new Map((data.rows[dataset] || []).map(([name, label, reference]) => [name, { label, reference }]));
  const end = `.${select.value}`;
  const found = Object.keys(data.values).filter((id) => id.startsWith(`${dataset}.`) && id.endsWith(end))
    .map((id) => [id.slice(dataset.length + 1, -end.length), id]).filter(([row]) => !row.includes("."));
  const order = [...named.keys()];
  found.sort(([a], [b]) => (order.indexOf(a) + 1 || order.length + 1) - (order.indexOf(b) + 1 || order.length + 1));
  for (const head of table.tHead.rows[0].cells) head.removeAttribute("aria-sort");
  table.tBodies[0].replaceChildren(...found.map(([row, id]) => {
    const value = data.values[id];
    const line = element("tr", undefined, named.get(row)?.reference ? { class: "reference" } : {});
    const shown = element("td", undefined, { "data-value": value.value });
    shown.append(numberButton(id));
    const seeds = Object.entries(value.seeds).map(([seed, text]) => `${seed}: ${text}`).join("  ");
    line.append(
      element("th", named.get(row)?.label ?? row.replaceAll("_", " "), { scope: "row" }), shown,
      element("td", value.interval ? `[${value.interval.join(", ")}]` : "–"),
      element("td", value.n ?? "–", value.n ? { "data-value": value.n } : {}), element("td", seeds || "–"),
    );
    return line;
  }));
  const first = found.length ? data.values[found[0][1]] : { unit: "", better: "" };
  const tail = [first.unit, first.better && `${first.better} is better`].filter(Boolean).join(", ");
  const words = select.selectedOptions[0]?.textContent ?? "nothing measured";
  table.caption.textContent = `${words} on ${dataset}${tail && ` (${tail})`}`;
}

function chain(files) {
  // As `whatmoves explain`: the analysis first, of whose inputs only those behind this value are followed.
  const analysis = data.makers["values.json"];
  const items = analysis === undefined ? [] : [[["values.json"], data.jobs[analysis]]];
  const told = new Set([analysis]);
  const waiting = [...files];
  while (waiting.length) {
    const file = waiting.shift();
    const place = data.makers[file];
    if (place === undefined || told.has(place)) continue;
    told.add(place);
    const job = data.jobs[place];
    items.push([[file, ...waiting].filter((other) => data.makers[other] === place), job]);
    waiting.push(...job.inputs);
  }
  return items;
}

function jobElement([files, job]) {
  const details = element("details");
  const few = [...new Set(files)];
  details.append(element("summary", `${few.slice(0, 3).join(", ")}${few.length > 3 ? ` and ${few.length - 3} more` : ""}`));
  const list = element("dl");
  const some = job.inputs.slice(0, 8).join(", ") + (job.inputs.length > 8 ? ` and ${job.inputs.length - 8} more` : "");
  for (const [term, said] of [
    ["Made by", job.command], ["Code", `${job.code} (${job.modules} modules), commit ${job.commit}`],
    ["From", some || "no file"], ["Ran", `${job.started} to ${job.ended}, ${job.device}, Python ${job.python}`],
    ["Receipt", job.receipt],
  ]) list.append(element("dt", term), element("dd", said));
  details.append(list);
  return details;
}

function explain(id) {
  const value = data.values[id];
  const [dataset, row] = id.split(".");
  const of = (data.rows[dataset] || []).find(([name]) => name === row)?.[1];
  document.getElementById("origin-title").textContent = `${of ? `${of} on ${dataset}: ` : ""}${value.label || id}`;
  const list = element("dl");
  const seeds = Object.entries(value.seeds).map(([seed, text]) => `seed ${seed}: ${text}`).join("; ");
  for (const [term, said] of [
    ["Value", `${value.text}${value.unit && ` ${value.unit}`}`],
    ["95 % interval", value.interval && `${value.interval[0]} to ${value.interval[1]}`],
    ["Sample size", value.n], ["Seeds", seeds], ["Better", value.better],
    ["Id", id], ["Measured in", value.files.join(", ")], ["In a terminal", `whatmoves explain ${id}`],
  ]) if (said) list.append(element("dt", term), element("dd", said));
  const jobs = chain(value.files);
  const body = document.getElementById("origin-body");
  body.replaceChildren(list, element("h3", jobs.length ? "Files and the jobs that made them" : "No receipt tells of its files"));
  body.append(...jobs.map(jobElement));
  document.getElementById("origin").showModal();
}

document.addEventListener("click", (event) => {
  const number = event.target.closest("[data-id]");
  const head = event.target.closest(".sortable thead th");
  if (number) explain(number.dataset.id);
  if (head) sort(head);
  if (event.target.closest(".close") || event.target.id === "origin") document.getElementById("origin").close();
});
document.getElementById("of-data").addEventListener("change", showMeasures);
document.getElementById("of-measure").addEventListener("change", showMeasure);
document.getElementById("verdicts")?.addEventListener("change", (event) => {
  for (const item of document.querySelectorAll("[data-verdict]")) {
    item.hidden = Boolean(event.target.value) && item.dataset.verdict !== event.target.value;
  }
});
document.querySelectorAll(".panel").forEach(movePanel);
showMeasures();
