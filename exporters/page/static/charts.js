// Draws the charts of one HSM with uPlot in place of the pictures that the page came with.
"use strict";
(() => {
  const place = document.getElementById("charts");
  const again = 60000; // ms between two questions for newer points
  const plots = new Map();

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  function draw(u, chart) {
    const { ctx } = u, { left, top, width, height } = u.bbox, ratio = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    if (chart.limit) {
      const y = u.valToPos(chart.limit, "y", true);
      ctx.strokeStyle = colour("critical");
      ctx.setLineDash([6 * ratio, 4 * ratio]);
      ctx.lineWidth = ratio;
      ctx.beginPath(); ctx.moveTo(left, y); ctx.lineTo(left + width, y); ctx.stroke();
      ctx.setLineDash([]);
    }
    for (const m of chart.marks || []) {
      const x = u.valToPos(m.at, "x", true), end = u.valToPos(m.until || u.scales.x.max, "x", true), size = 5 * ratio;
      ctx.fillStyle = ctx.strokeStyle = colour(m.word);
      ctx.fillRect(x, top + height - 3 * ratio, Math.max(end - x, ratio), 3 * ratio);
      ctx.beginPath(); ctx.moveTo(x - size, top); ctx.lineTo(x + size, top); ctx.lineTo(x, top + 1.6 * size); ctx.fill();
      ctx.globalAlpha = .5;
      ctx.beginPath(); ctx.moveTo(x, top); ctx.lineTo(x, top + height); ctx.stroke();
      ctx.globalAlpha = 1;
    }
    ctx.restore();
  }

  function data(chart) {
    const x = chart.median.map((_, i) => chart.start + i * chart.step);
    return [x, chart.max, chart.min, chart.median];
  }

  function options(chart, box) {
    const axis = { stroke: colour("quiet"), grid: { stroke: colour("rule"), width: 1 }, ticks: { stroke: colour("rule") }, font: "12px system-ui" };
    const value = (u, v, _, i) => (i == null ? "" : v == null ? "unknown" : v.toFixed(chart.digits) + " " + chart.unit);
    const banded = chart.median.some((v, i) => v != null && chart.max[i] !== chart.min[i]);
    const edge = { ...(banded ? {} : { class: "single" }), stroke: "transparent", points: { show: false }, value, spanGaps: false };
    return {
      width: box.clientWidth, height: 170, cursor: { sync: { key: "hsm" }, drag: { x: false, y: false } }, legend: { live: true },
      scales: { y: { range: (u, low, high) => {
        if (low == null) return [0, 1];
        const limit = chart.limit && chart.unit !== "%" ? chart.limit : low;
        low = Math.min(low, limit); high = Math.max(high, limit);
        const pad = (high - low || Math.abs(high) || 1) * .08;
        return [low >= 0 && low - pad < 0 ? 0 : low - pad, high + pad];
      } } },
      axes: [{ ...axis, size: 34, values: (u, at) => at.map((t) => new Date(t * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false })) }, { ...axis, size: 56 }],
      series: [{ value: (u, t, _, i) => (i == null ? "" : new Date(t * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false })), label: "At" },
        { ...edge, label: "greatest" }, { ...edge, label: "least" }, { label: banded ? "median" : "value", stroke: colour("curve"), width: 1.5, value, points: { show: false }, spanGaps: false }],
      bands: [{ series: [1, 2], fill: colour("band") }],
      hooks: { draw: [(u) => draw(u, chart)] },
    };
  }

  function put(all) {
    for (const chart of all.charts || []) {
      const box = document.querySelector("#chart-" + CSS.escape(chart.measure) + " .plot");
      if (!box || !chart.median.some((v) => v != null)) continue;
      const old = plots.get(chart.measure);
      if (old) { Object.assign(old.chart, chart); old.plot.setData(data(chart)); continue; }
      box.replaceChildren();
      box.classList.add("drawn");
      box.setAttribute("aria-hidden", "true"); // the table has the same
      plots.set(chart.measure, { chart, box, plot: new uPlot(options(chart, box), data(chart), box) });
    }
  }

  async function ask() {
    if (document.hidden) return;
    try {
      const answer = await fetch(place.dataset.url);
      if (answer.ok) put(await answer.json());
    } catch { /* the header says that the agent is silent */ }
  }

  new ResizeObserver(() => { for (const { plot, box } of plots.values()) if (plot.width !== box.clientWidth) plot.setSize({ width: box.clientWidth, height: 170 }); }).observe(place);
  // The colours of a plot are in its picture: on paper, too, they are those of the page.
  function redraw() {
    for (const p of plots.values()) {
      p.plot.destroy();
      p.plot = new uPlot(options(p.chart, p.box), data(p.chart), p.box);
    }
  }
  for (const media of ["(prefers-color-scheme: dark)", "print"]) matchMedia(media).addEventListener("change", redraw);
  setInterval(ask, again);
  ask();
})();
