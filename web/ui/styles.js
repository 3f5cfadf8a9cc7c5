/** The looks of the viewer: black, thin, calm; nothing brighter than the image needs beside it. */

export const STYLES = `
:host {
  --text: #c3c8cd; --dim: #8b9299; --line: #2a2d31; --bar: #0d0e10;
  --held: #5d8cb5; --settled: #74ab8f; --failed: #dd7a5c; --focus: #7fb2e5;
  --replica: #9d86c9; --retrying: #d9a441;
  display: block; position: relative; width: 100%; height: 100%; min-height: 120px;
  container: viewer / inline-size; overflow: hidden; background: #000; color: var(--text);
  font: 400 12px/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif;
  font-variant-numeric: tabular-nums; outline: none; -webkit-user-select: none; user-select: none;
}
:host([hidden]), [hidden] { display: none !important; }
.viewer { display: flex; flex-direction: column; width: 100%; height: 100%; }
.panes {
  position: relative; flex: 1 1 0; min-height: 0; display: grid; gap: 2px; background: #1b1d20; grid-template: minmax(0, 1fr) / minmax(0, 1fr);
}
.panes[data-layout=mpr] {
  grid-template: 'main upper' minmax(0, 1fr) 'main lower' minmax(0, 1fr) / minmax(0, 1.9fr) minmax(0, 1fr);
}
.panes[data-layout='2x2'] {
  grid-template: 'main upper' minmax(0, 1fr) 'lower stack' minmax(0, 1fr) / minmax(0, 1fr) minmax(0, 1fr);
}
.panes[data-layout=mpr] .stage { grid-area: main; }
.panes[data-layout=mpr][data-waiting=false] .stage { display: none; }
.panes[data-layout='2x2'] .stage { grid-area: stack; }
.pane[data-plane=axial] { grid-area: main; } .pane[data-plane=coronal] { grid-area: upper; }
.pane[data-plane=sagittal] { grid-area: lower; }
.panes.one-alone[data-layout] { grid-template: minmax(0, 1fr) / minmax(0, 1fr); }
.panes.one-alone > :not(.alone) { display: none; }
.panes.one-alone > .alone { grid-area: auto; }
.panes[data-waiting=true]::after {
  content: 'The planes follow when the geometry is known'; grid-area: upper; display: grid; place-items: center;
  padding: 12px; text-align: center; color: var(--dim); background: #000;
}
.panes[data-waiting=true]::before { content: ''; grid-area: lower; background: #000; }
.panes[data-layout='2x2'][data-waiting=true] { background: #000; }
.panes[data-layout=stack]::before, .panes[data-layout=stack]::after { display: none; }
.stage, .pane { position: relative; min-width: 0; min-height: 0; overflow: hidden; touch-action: none; background: #000; }
.pane.active::after, .stage.active::after {
  content: ''; position: absolute; inset: 0; border: 1px solid rgb(127 178 229 / .35); pointer-events: none;
}
.pane { container: pane / inline-size; }
@container pane (max-width: 560px) {
  .mark:not([data-kind=replica], [data-kind=failed]) .mark-detail { display: none; }
  .mark { max-width: calc(44% - 8px); }
}
.pane:focus-visible { outline: none; }
.pane .probe { white-space: pre; }
.plane-name::before {
  content: ''; display: inline-block; width: 8px; height: 8px; margin-right: 6px; border-radius: 2px; background: var(--plane);
}
.pane[data-plane=axial] { --plane: #e5484d; } .pane[data-plane=coronal] { --plane: #46a758; }
.pane[data-plane=sagittal] { --plane: #ffca16; }
.plane-slab { color: var(--dim); } .plane-slab:not(:empty)::before { content: ' · '; }
.cross { position: absolute; left: 0; top: 0; pointer-events: none; background: rgb(127 178 229 / .5); }
.cross.across { width: 100%; height: 1px; } .cross.down { width: 1px; height: 100%; }
.stage > canvas, .pane > canvas { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
:host(:focus-visible) .viewer::after {
  content: ''; position: absolute; inset: 0; border: 1px solid rgb(127 178 229 / .5); pointer-events: none;
}
[data-tool=window] { cursor: default; }
[data-tool=pan] { cursor: grab; }
.dragging [data-tool=pan] { cursor: grabbing; }
[data-tool=zoom] { cursor: zoom-in; }
[data-tool=scroll] { cursor: ns-resize; }
[data-tool=crosshair] { cursor: crosshair; }
[data-tool=rotate] { cursor: alias; }

.corner, .edge { position: absolute; pointer-events: none; padding: 1px 6px; border-radius: 4px; background: rgb(0 0 0 / .66); }
.corner { max-width: 46%; box-sizing: border-box; white-space: pre; }
.corner:not(:has(:not(:empty))) , .edge:empty { display: none; }
.corner .line { overflow: hidden; text-overflow: ellipsis; }
.corner .line:empty { display: none; }
.corner.left { left: 6px; } .corner.right { right: 6px; text-align: right; }
.corner.top { top: 6px; } .corner.bottom { bottom: 6px; }
.corner.bottom.left { max-width: 62%; }
.corner.bottom.right { padding-bottom: 6px; }
.strong { color: #e3e6e9; }
.edge { color: #aab0b6; font-size: 13px; letter-spacing: .04em; }
.edge.left { left: 6px; top: 50%; transform: translateY(-50%); }
.edge.right { right: 6px; top: 50%; transform: translateY(-50%); }
.edge.top { top: 6px; left: 50%; transform: translateX(-50%); }
.edge.bottom { bottom: 6px; left: 50%; transform: translateX(-50%); }
.scale-label { margin-bottom: 3px; }
.scale-bar {
  height: 5px; margin-left: auto; border: solid var(--text); border-width: 0 1px 1px;
}

.probe { margin-bottom: 3px; color: var(--dim); }
.probe-value { color: #e3e6e9; }
.probe-value + span:not(:empty)::before { content: '  '; }

.mark {
  position: absolute; top: 5px; right: 5px; max-width: calc(54% - 14px); display: flex;
  align-items: center; padding: 2px 8px; border-radius: 10px;
  background: rgb(0 0 0 / .66); pointer-events: auto; white-space: nowrap;
}
.mark-words { max-width: 400px; margin-right: 7px; overflow: hidden; text-overflow: ellipsis; }
.mark-detail { color: var(--dim); }
.mark-detail:not(:empty)::before { content: ' · '; }
.mark-dot { flex: none; width: 7px; height: 7px; border-radius: 50%; background: var(--held); }
.mark[data-kind=lossless] .mark-dot { background: var(--settled); }
.mark[data-kind=complete] .mark-dot { background: none; border: 1.5px solid var(--settled); box-sizing: border-box; }
.mark[data-kind=waiting] .mark-dot { background: none; border: 1.5px dashed var(--held); box-sizing: border-box; }
.mark[data-kind=failed] .mark-dot { background: var(--failed); border-radius: 1px; }
.mark[data-kind=lossless] .mark-text::before { content: '\\2713\\00a0'; color: var(--settled); }
.mark[data-kind=lossless] .mark-words { animation: settle .6s 1.5s forwards; }
.mark[data-kind=lossless]:hover .mark-words { animation: none; }
@keyframes settle { 60% { opacity: 0; max-width: 400px; } to { opacity: 0; max-width: 0; margin-right: 0; } }

.mark[data-kind=replica], .mark[data-kind=retrying] { background: rgb(24 20 32 / .92); color: #e3e6e9; }
.mark[data-kind=replica] { padding: 4px 12px; font-size: 14px; border: 1px solid var(--replica); }
.mark[data-kind=replica] .mark-dot { background: var(--replica); border-radius: 1px; }
.mark[data-kind=replica] .mark-text { color: #c9b8ea; }
.mark[data-kind=replica] .mark-detail { color: #e3e6e9; }
.mark[data-kind=retrying] { background: rgb(0 0 0 / .66); }
.mark[data-kind=retrying] .mark-dot { background: none; border: 1.5px dashed var(--retrying); box-sizing: border-box; }
.stage.replica::before {
  content: ''; position: absolute; inset: 0; z-index: 1; border: 2px dashed var(--replica); opacity: .75; pointer-events: none;
}

.notices {
  position: absolute; z-index: 2; top: 50px; left: 6px; max-width: min(46%, 360px); max-height: 40%; overflow: auto; display: flex; gap: 6px;
  align-items: flex-start; padding: 4px 4px 4px 9px; border-radius: 4px; border-left: 2px solid #5b6168;
  background: rgb(18 19 21 / .86); color: var(--text); pointer-events: auto; box-sizing: border-box;
}
.notices ul { margin: 0; padding: 0; list-style: none; } .notices li + li { margin-top: 3px; }
.notices .act { width: auto; padding: 0 8px; font-size: inherit; border: 1px solid #3b4046; color: var(--text); }
.notices > button { flex: none; width: 20px; height: 18px; text-align: center; font-size: 15px; line-height: 16px; }

.progress {
  position: absolute; left: 0; bottom: 0; width: 100%; height: 2px; background: var(--held);
  transform-origin: left; opacity: .85; transition: opacity .4s; pointer-events: none;
}
.progress.done { opacity: 0; }
.outline { position: absolute; box-sizing: border-box; border: 1px solid #202327; pointer-events: none; }

.message {
  position: absolute; inset: 0; display: grid; place-items: center; padding: 40px 16px;
  pointer-events: none; overflow: hidden;
}
.message p, .message h2 { margin: 0; }
.loading { color: var(--dim); letter-spacing: .02em; }
.failure {
  max-width: 440px; max-height: 100%; overflow: auto; padding: 14px 16px; border-radius: 6px;
  background: rgb(18 19 21 / .94); border-left: 2px solid var(--failed); pointer-events: auto;
  user-select: text; -webkit-user-select: text;
}
.failure h2 { font-size: 13px; font-weight: 500; color: #e9ebed; margin-bottom: 6px; }
.error-type { color: var(--failed); font: inherit; }
.failure .resource { color: var(--dim); font-size: 11px; overflow-wrap: anywhere; margin-top: 4px; }
.failure .resource:empty { display: none; }
.failure .retry {
  margin-top: 10px; padding: 3px 14px; width: auto; border: 1px solid #3b4046; border-radius: 4px;
}
.failure.compact { align-self: end; padding: 8px 12px; margin-bottom: 26px; background: rgb(18 19 21 / .85); }

.drop {
  position: absolute; inset: 0; display: grid; place-items: center; padding: 16px;
}
.drop.hovering { background: rgb(0 0 0 / .72); pointer-events: none; }
.drop-card {
  padding: 26px 34px; text-align: center; color: var(--dim); border: 1px dashed #3b4046; border-radius: 8px;
}
.drop.hovering .drop-card { border-color: var(--focus); }
.drop-card p { margin: 0; } .drop-title { margin-bottom: 4px; font-size: 14px; color: #e3e6e9; }
.drop-buttons { display: flex; gap: 8px; justify-content: center; margin-top: 14px; }
.drop.hovering .drop-buttons { visibility: hidden; }
.drop-buttons button { padding: 4px 14px; border: 1px solid #3b4046; border-radius: 4px; color: var(--text); }

.strip { position: relative; flex: none; height: 20px; background: var(--bar); cursor: pointer; touch-action: none; }
.bar {
  position: relative; flex: none; display: flex; gap: 10px; align-items: center; height: 36px; padding: 0 6px;
  background: var(--bar);
}
button {
  all: unset; box-sizing: border-box; cursor: pointer; color: var(--dim); border-radius: 4px;
}
button:focus-visible { outline: 1px solid var(--focus); }
button:hover { color: #fff; }
.announcer { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

@container viewer (max-width: 760px) {
  .panes[data-layout=mpr] {
    grid-template: 'main main' minmax(0, 1.6fr) 'upper lower' minmax(0, 1fr) / minmax(0, 1fr) minmax(0, 1fr);
  }
  .panes.one-alone[data-layout] { grid-template: minmax(0, 1fr) / minmax(0, 1fr); }
  .bar { flex-wrap: wrap; height: auto; min-height: 36px; padding: 4px 6px; gap: 0 10px; }
}
@container viewer (max-width: 480px) {
  .bar { gap: 4px; padding: 0 3px; }
  .mark:not([data-kind=replica]) .mark-detail { display: none; }
  .drop-card { padding: 16px; }
  .corner.left, .edge.left { left: 3px; } .corner.right, .edge.right { right: 3px; }
  .edge.top, .edge.bottom { display: none; }
  .mark { right: 3px; font-size: 11px; } .corner { font-size: 11px; }
  .message { padding: 32px 10px 8px; } .failure { padding: 9px 12px; }
}
@media (pointer: coarse) {
  .strip { height: 28px; } .bar { height: 44px; }
}
@media (prefers-reduced-motion: reduce) {
  .progress { transition: none; }
  .mark[data-kind=lossless] .mark-words { animation-duration: 0s; }
}
`;
