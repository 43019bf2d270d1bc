// Keeps an open page up to date. The page is whole without it: this replaces, in place,
// what the agent says has changed, and says when the agent is silent.
"use strict";
(() => {
  const body = document.body;
  const live = document.getElementById("live"), clock = document.getElementById("clock"), date = document.getElementById("date");
  const silentAfter = 11000; // ms: the agent gives a sign of life each 5 s
  const hiddenFor = 60000;   // ms: after which a page that nobody sees is not kept up to date
  const dated = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" };
  const newest = new Map();  // by part: when what it shows was made
  let stream = null, heard = Date.now(), since = null, fetching = null, waiting = [], skew = 0, hiding = 0;

  // Ages

  function age(ms) {
    const s = Math.max(0, Math.round(ms / 1000));
    if (s < 60) return s + " s ago";
    if (s < 3600) return Math.floor(s / 60) + " min ago";
    if (s < 172800) return Math.floor(s / 3600) + " h ago";
    return Math.floor(s / 86400) + " days ago";
  }

  function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function ages(root) {
    const now = Date.now() + skew;
    for (const t of root.querySelectorAll("time.ago")) setText(t, age(now - Date.parse(t.dateTime)));
  }

  // Replacing in place

  function sameKind(a, b) {
    return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
  }

  // morph makes old be as made, and leaves every element in place that can stay: focus,
  // scroll and what is unfolded remain.
  function morph(old, made) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== made.nodeValue) old.nodeValue = made.nodeValue;
      return;
    }
    for (const { name } of [...old.attributes]) if (!made.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
    for (const { name, value } of made.attributes) if (old.getAttribute(name) !== value && !(name === "open" && old.nodeName === "DETAILS")) old.setAttribute(name, value);
    if (old.nodeName === "TIME" && old.className === "ago") return;
    let at = old.firstChild;
    for (const next of [...made.childNodes]) {
      let found = at;
      if (next.id) {
        found = [...old.children].find((c) => c.id === next.id) || null;
        if (found && found !== at) { old.insertBefore(found, at); at = found; }
      }
      if (found && sameKind(found, next)) {
        at = found.nextSibling;
        morph(found, next);
      } else {
        old.insertBefore(document.importNode(next, true), at);
      }
    }
    while (at) { const next = at.nextSibling; at.remove(); at = next; }
  }

  function element(html) {
    return new DOMParser().parseFromString(html, "text/html").body;
  }

  // show puts a part in its place, unless what is there is newer.
  function show(at, id, group, version, made) {
    if ((newest.get(id) || 0) > at) return;
    newest.set(id, at);
    let part = document.getElementById("part-" + id);
    if (!part) {
      const place = document.getElementById("group-" + group);
      if (!place) return;
      part = document.createElement("div");
      part.className = "part";
      part.id = "part-" + id;
      place.append(part);
    }
    part.dataset.v = version;
    const shell = part.cloneNode(false);
    shell.append(...made.childNodes);
    morph(part, shell);
    ages(part);
  }

  function take(patch) {
    for (const p of patch.parts || []) show(patch.at, p.id, p.group, p.v, element(p.html));
    for (const id of patch.gone || []) document.getElementById("part-" + id)?.remove();
  }

  // refresh takes the whole page anew: it was made before something changed.
  async function refresh() {
    fetching = new AbortController();
    try {
      const answer = await fetch(body.dataset.live, { signal: fetching.signal });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const at = Number(page.body.dataset.at), has = new Set();
      for (const part of page.querySelectorAll(".part")) {
        has.add(part.id);
        show(at, part.id.slice(5), (part.parentElement.id || "").slice(6), part.dataset.v, part);
      }
      for (const part of document.querySelectorAll(".part")) if (!has.has(part.id)) part.remove();
    } catch { again(5000); }
    fetching = null;
    for (const patch of waiting.splice(0)) take(patch);
  }

  function compare(sync) {
    const parts = [...document.querySelectorAll(".part")];
    const same = parts.length === Object.keys(sync.parts).length && parts.every((p) => sync.parts[p.id.slice(5)] === p.dataset.v);
    if (!same && !fetching) refresh();
  }

  // The stream

  function sign() {
    heard = Date.now();
    since = null;
    setText(live, "live");
    live.className = "";
  }

  function silent() {
    if (since === null) since = heard;
    setText(live, "NOT LIVE since " + new Date(since).toLocaleTimeString([], { hour12: false }));
    live.className = "dead";
  }

  function open() {
    stream = new EventSource("/live?at=" + encodeURIComponent(body.dataset.live));
    stream.addEventListener("sync", (e) => { sign(); const sync = JSON.parse(e.data); skew = sync.at - Date.now(); compare(sync); });
    stream.addEventListener("patch", (e) => { sign(); const p = JSON.parse(e.data); if (fetching) waiting.push(p); else take(p); });
    stream.addEventListener("beat", (e) => { sign(); skew = Number(e.data) - Date.now(); });
    stream.onerror = () => { silent(); if (stream.readyState === EventSource.CLOSED) again(5000); };
  }

  function close() {
    stream?.close();
    stream = null;
  }

  function again(ms) {
    close();
    setTimeout(() => { if (!stream && !document.hidden) open(); }, ms);
  }

  setInterval(() => {
    if (Date.now() - heard > silentAfter) silent();
    const now = new Date(Date.now() + skew);
    setText(clock, now.toLocaleTimeString([], { hour12: false }));
    setText(date, now.toLocaleString("sv", dated)); // as 2026-03-04 09:42:07 UTC
    ages(document);
  }, 1000);

  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(close, hiddenFor);
    else if (!stream) open();
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (e) => { if (e.persisted && !stream) open(); });

  // A notification's link to an alarm that has cleared, or is far down, leads to its page.
  const linked = /^#alarm-(\d+)$/.exec(location.hash);
  if (linked && !document.getElementById(location.hash.slice(1))) location.replace("/alarms/" + linked[1]);

  // Charts: the page has them as pictures, which are painted before anything is drawn anew.

  const charts = document.getElementById("charts");
  const paintedAfter = 1000; // ms: at most, so that a page that nobody sees has its charts, too
  let drawn = !charts;
  function draw() {
    if (drawn) return;
    drawn = true;
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = charts.dataset.sheet;
    document.head.append(style);
    const load = (src, then) => { const s = document.createElement("script"); s.src = src; s.onload = then; document.head.append(s); };
    load(charts.dataset.code, () => load(charts.dataset.draw));
  }
  if (charts) {
    new PerformanceObserver(draw).observe({ type: "paint", buffered: true });
    setTimeout(draw, paintedAfter);
  }

  ages(document);
  if (!document.hidden) open();
})();
