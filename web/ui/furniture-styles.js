/** The looks of what stands around the picture, after those of `styles.js`. */

export const FURNITURE_STYLES = `
.strip canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.strip .thumb {
  position: absolute; left: 0; top: 50%; height: 15px; margin-top: -7.5px; box-sizing: border-box;
  border: solid #f2f2f2; border-width: 2px 0; pointer-events: none;
}
.strip input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; pointer-events: none; }

.timeline {
  flex: none; display: flex; flex-direction: column; height: min(46%, 330px); background: #0a0b0c;
  border-top: 1px solid var(--line);
}
.timeline-head { flex: none; display: flex; align-items: center; gap: 2px; padding: 3px 4px 3px 10px; }
.timeline-totals { flex: 1; min-width: 0; margin: 0; color: var(--text); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.timeline-head button { padding: 2px 9px; } .timeline-head button:hover { background: #1b1d20; }
.timeline-body { position: relative; flex: 1; min-height: 0; overflow: hidden; }
.timeline-body canvas { position: absolute; inset: 0; width: 100%; height: 100%; touch-action: none; outline-offset: -1px; }
.timeline-body canvas:focus-visible { outline: 1px solid var(--focus); }
.timeline-tip {
  position: absolute; left: 0; top: 0; max-width: 420px; padding: 4px 8px; border-radius: 4px; white-space: pre; overflow: hidden;
  text-overflow: ellipsis; background: #1b1d20; color: #e3e6e9; pointer-events: none; box-sizing: border-box;
}
.strip:focus-within { outline: 1px solid var(--focus); outline-offset: -1px; }

.group { display: flex; gap: 1px; } .group.end { margin-left: auto; min-width: 0; }
.bar button { height: 28px; min-width: 30px; display: flex; align-items: center; justify-content: center; gap: 6px; }
.bar button:hover { color: #fff; background: #1b1d20; }
.bar button[aria-pressed=true] { color: #fff; background: #24272b; }
svg { flex: none; width: 17px; height: 17px; fill: none; stroke: currentColor; stroke-width: 1.2; stroke-linecap: round; stroke-linejoin: round; }

.menu { min-width: 0; }
.menu > button { max-width: 100%; padding: 0 6px; }
.menu-label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 220px; }
.menu-label:empty { display: none; }
.menu-list {
  position: absolute; bottom: 34px; left: 6px; z-index: 3; min-width: 170px; max-width: calc(100% - 12px);
  max-height: min(60vh, 420px); overflow: auto; box-sizing: border-box;
  padding: 4px; border: 1px solid var(--line); border-radius: 6px; background: #121315;
}
.group:not(.end) .menu-list { left: 100px; }
.group.cine .menu-list { left: 190px; }
.group.end .menu-list { left: auto; right: 6px; }
.bar .menu-list button { width: 100%; justify-content: space-between; padding: 0 10px; gap: 12px; color: var(--text); }
.menu-list [aria-checked=true] .label { color: var(--focus); }
[role=menuitemradio] > .label { flex: 1; text-align: left; }
.key { color: var(--dim); min-width: 8px; }
.hint { color: var(--dim); font-size: 11px; white-space: nowrap; }

.help {
  position: absolute; inset: 0; z-index: 4; display: grid; place-items: center; padding: 12px;
  background: rgb(0 0 0 / .6);
}
.card {
  position: relative; max-width: 460px; max-height: 100%; overflow: auto; box-sizing: border-box;
  padding: 16px 20px; border: 1px solid var(--line); border-radius: 8px; background: #121315;
}
.card h2 { margin: 0 0 8px; font-size: 13px; font-weight: 500; color: #e9ebed; }
.card dl { display: grid; grid-template-columns: auto 1fr; gap: 3px 18px; margin: 0; }
.card dt { color: #e3e6e9; } .card dd { margin: 0; color: var(--dim); }
.card .legend-title { margin-top: 14px; } .legend canvas { display: block; margin-top: 4px; }
.close { position: absolute; top: 8px; right: 10px; width: 26px; height: 26px; font-size: 18px; text-align: center; }
@container viewer (max-width: 760px) {
  .timeline-totals { white-space: normal; }
}
@container viewer (max-width: 480px) {
  .bar button { min-width: 28px; }
  .menu-label { display: none; } .group { gap: 0; }
  .group:not(.end) .menu-list { left: 6px; }
}
@media (pointer: coarse) {
  .bar button { height: 40px; min-width: 38px; } .menu-list { bottom: 42px; }
}
`;
