# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The look of a report page and the little script behind its buttons; every report shares them.

Colours are those of Okabe and Ito, which people with any colour vision tell apart; series differ in their stroke too.
"""

from __future__ import annotations

__all__ = ["SCRIPT", "STYLE"]

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --soft: #f4f5f7; --ink: #1b1e22; --muted: #59606a; --rule: #d8dce1;
  --first: #d55e00; --second: #6d7580; --third: #0072b2; --good: #00785a; --caution: #b07a00; --alarm: #d55e00; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --soft: #1d2125; --ink: #e4e7ea; --muted: #a2aab4;
  --rule: #363c43; --first: #f08a3c; --second: #a7afb9; --third: #56b4e9; --good: #2fc29a; --caution: #e0b040;
  --alarm: #f08a3c; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 66rem; padding: 1.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
h1, h2, h3 { line-height: 1.25; text-wrap: balance; font-weight: 650; }
h1 { font-size: 1.85rem; letter-spacing: -.01em; margin: .5rem 0 .25rem; }
h2 { font-size: 1.3rem; margin: 0 0 .75rem; }
h3 { font-size: 1rem; margin: 1.75rem 0 .5rem; }
p, ul { margin: 0 0 .8rem; max-width: 46rem; }
ul { padding-left: 1.2rem; }
li { margin-bottom: .25rem; }
a { color: var(--third); }
.subtitle, .aside, figcaption, caption { color: var(--muted); font-size: .875rem; }
h3 .aside { font-weight: 400; }
.subtitle { margin-bottom: 1.25rem; }
section { margin-top: 2.75rem; padding-top: 1.25rem; border-top: 1px solid var(--rule); }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; padding: 0; margin: 1.25rem 0 0;
  max-width: none; font-size: .9rem; }
nav a { text-decoration: none; display: inline-block; padding: .15rem 0; }
nav a:hover { text-decoration: underline; }
code, pre { font: .85em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
pre { background: var(--soft); padding: .75rem 1rem; border-radius: .4rem; white-space: pre-wrap; margin: 0 0 1rem; }

.notice { background: var(--soft); border-left: .3rem solid var(--third); border-radius: .3rem;
  padding: .9rem 1.1rem .2rem; margin: 1rem 0; }
.notice.good { border-left-color: var(--good); } .notice.caution { border-left-color: var(--caution); }
.notice.alarm { border-left-color: var(--alarm); }
.notice h2 { font-size: 1rem; margin-bottom: .4rem; }
.notice p { max-width: 52rem; }

.scroll { overflow-x: auto; margin: 0 0 1rem; }
.scroll:focus-visible, button:focus-visible, a:focus-visible { outline: 2px solid var(--third); outline-offset: 2px; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.4; min-width: min(100%, 34rem); }
caption { text-align: left; padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .9rem .45rem 0; border-bottom: 1px solid var(--rule);
  overflow-wrap: break-word; }
thead th { border-bottom: 1.5px solid var(--muted); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; min-width: clamp(9rem, 22vw, 15rem); }
td.number, th.number { text-align: right; white-space: nowrap; }
thead th.number { white-space: normal; }
td small, th small { color: var(--muted); font-weight: 400; }
td.wide { min-width: 14rem; overflow-wrap: anywhere; }
tr.faded td, tr.faded th { color: var(--muted); font-weight: 400; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .25rem 1.25rem; font-size: .875rem;
  margin: 0 0 1rem; }
dt { color: var(--muted); } dd { margin: 0; }

figure { margin: 0; min-width: 0; }
.grid { display: grid; align-items: end; gap: 1.1rem 1.4rem;
  grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); }
.finding { border-left: .2rem solid var(--rule); padding-left: .8rem; margin: 0 0 1.4rem; }
.stills { display: flex; gap: 3px; overflow-x: auto; } .stills img { height: 6.5rem; width: auto; display: block; }
.grid.large { align-items: start; gap: 0 2.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); }
.grid.large h3 { margin-top: 1rem; }
.grid.small { grid-template-columns: repeat(auto-fill, minmax(min(12rem, 44%), 1fr)); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: 0 0 1rem; padding: 0; list-style: none;
  font-size: .875rem; max-width: none; }
.legend svg { width: 26px; height: 12px; margin-right: .45rem; vertical-align: -1px; }
.panel figcaption b { display: block; color: var(--ink); font-weight: 600; }

svg text { font-size: 11px; fill: var(--muted); }
.plot, .strip { display: block; overflow: visible; width: calc(100% - 3.6rem); height: 8.5rem;
  margin: .6rem .6rem 2.6rem 3rem; }
.grid.small .plot { height: 6.5rem; margin-bottom: 2.3rem; }
.rule { stroke: var(--rule); stroke-width: 1; }
.base { stroke: var(--muted); stroke-width: 1; }
.line { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.first { stroke: var(--first); } .second { stroke: var(--second); stroke-dasharray: 5 3; }
.third { stroke: var(--third); }
.dot { fill: var(--paper); stroke-width: 2; } .dot.first { fill: var(--first); } .dot.second { stroke-dasharray: none; }

.intervals { margin: 0 0 1.4rem; container-type: inline-size; }
.intervals figcaption { margin-bottom: .2rem; } .intervals figcaption b { display: inline; margin-right: .6rem; }
.intervals .row { display: grid; grid-template-columns: 10rem 1fr 11.5rem; gap: 0 1.1rem; align-items: center;
  font-size: .875rem; }
.intervals .row > span:nth-child(3) { text-align: right; } .intervals .note { grid-column: 2; }
.intervals small { color: var(--muted); }
.intervals .strip { width: 100%; height: 2.1rem; margin: 0; }
.intervals .axis .strip { height: 1.3rem; } .intervals .rule { shape-rendering: crispEdges; }
.faded { color: var(--muted); }
.whisker { stroke: var(--first); stroke-width: 2; } .estimate { fill: var(--first); }
.faded .whisker { stroke: var(--muted); stroke-dasharray: 3 3; }
.faded .estimate { fill: var(--paper); stroke: var(--muted); stroke-width: 1.5; }
.band { fill: var(--third); fill-opacity: .2; } .centre { stroke: var(--third); stroke-width: 2; }
.mark { stroke: var(--third); stroke-width: 1.5; stroke-dasharray: 2 2; }

.clips { margin: 0 0 1rem; }
.clips .row { display: grid; gap: .7rem; grid-template-columns: repeat(auto-fill, minmax(min(9.4rem, 44%), 1fr)); }
.clips.abreast { max-width: 40rem; } .clips.abreast .row { grid-template-columns: repeat(3, minmax(0, 1fr)); }
.clip { display: block; width: 100%; height: auto; object-fit: cover; border-radius: .25rem; background: #000;
  animation: play 1s infinite; }
@keyframes play { from { object-position: var(--from) 0; } to { object-position: var(--to) 0; } }
.clip { object-position: var(--from) 0; }
.clips figcaption { font-size: .8rem; line-height: 1.35; padding-top: .25rem; }
.controls { display: flex; flex-wrap: wrap; gap: .4rem; margin: .5rem 0 .7rem; }
.controls[hidden] { display: none; }
button { font: inherit; font-size: .8rem; line-height: 1.2; color: var(--ink); background: var(--soft); cursor: pointer;
  border: 1px solid var(--rule); border-radius: .3rem; padding: .4rem .7rem; min-width: 2.4rem; }
button[aria-pressed="true"] { border-color: var(--third); box-shadow: inset 0 0 0 1px var(--third); }

@media (max-width: 40rem) {
  body { padding: 1rem .9rem 3rem; } h1 { font-size: 1.5rem; } section { margin-top: 2rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .55rem; }
  button { padding: .6rem .8rem; }
}
@container (max-width: 40rem) {
  .intervals .row { grid-template-columns: 1fr auto; } .intervals .strip { grid-column: 1 / -1; grid-row: 2; }
  .intervals .note { grid-column: 1 / -1; } .intervals .axis > span { display: none; }
}
@media (prefers-reduced-motion: reduce) { .clip { animation-play-state: paused; } }
@media print {
  :root { color-scheme: light; --paper: #fff; --soft: #f4f5f7; --ink: #000; --muted: #444; --rule: #bbb;
    --first: #d55e00; --second: #6d7580; --third: #0072b2; }
  body { max-width: none; padding: 0; font-size: 10pt; } nav, .controls { display: none !important; }
  .clip { animation: none; } .scroll { overflow: visible; } table { font-size: 7pt; }
  th, td { padding: .3rem .4rem .3rem 0; } tbody th { overflow-wrap: anywhere; }
  thead th, tbody th, td.number, td.wide { min-width: 0; white-space: normal; }
  figure, tr, .notice, .intervals { break-inside: avoid; } h2, h3 { break-after: avoid; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
"""

# Clips play without it. It starts the clips of a page on the same beat, and stops, steps and slows those of a set.
SCRIPT = """
for (const set of document.querySelectorAll('.clips')) {
  const films = set.getAnimations({ subtree: true });
  const controls = set.querySelector('.controls');
  if (!films.length || !controls) continue;
  const [toggle, back, ahead, slow] = controls.querySelectorAll('button');
  let playing = films[0].playState === 'running';
  if (playing) for (const film of films) film.startTime = 0;
  const show = () => { toggle.textContent = playing ? 'Pause' : 'Play'; };
  const step = (by) => {
    playing = false;
    for (const film of films) {
      const frames = Number(film.effect.target.dataset.frames);
      const time = film.effect.getComputedTiming().duration / frames;
      const frame = (Math.floor(film.currentTime / time + 1e-6) + by + frames) % frames;
      film.pause();
      film.currentTime = (frame + 0.5) * time;
    }
    show();
  };
  toggle.onclick = () => {
    playing = !playing;
    for (const film of films) playing ? film.play() : film.pause();
    show();
  };
  back.onclick = () => step(-1);
  ahead.onclick = () => step(1);
  slow.onclick = () => {
    const pressed = slow.getAttribute('aria-pressed') !== 'true';
    slow.setAttribute('aria-pressed', pressed);
    for (const film of films) film.updatePlaybackRate(pressed ? 0.25 : 1);
  };
  show();
  controls.hidden = false;
}
"""
