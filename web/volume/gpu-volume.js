/**
 * A volume in one 3D texture, for all planes of it. A slice that changes is uploaded alone, at its own level: its samples lie
 * in the corner of its layer, and a small table says where they belong.
 *
 * @typedef {import('./field.js').Field} Field
 * @typedef {import('./field.js').Held} Held
 * @typedef {import('./cpu-renderer.js').PlaneRequest} PlaneRequest
 */

import { ramp } from './greys.js';
import { CORNERS, MODES, TEXELS, WINDOW, fragmentShader } from './shader.js';

/** A volume that needs more bytes than this on the GPU is drawn on the CPU, which has it already. */
const MOST_BYTES = 2 ** 30;

/** Texels in a row of the table of a VOI LUT. */
const LUT_COLUMNS = 1024;

const UNITS = { stored: 0, slices: 1, lut: 2 };

/**
 * How samples are held on the GPU; 32-bit integers are not.
 *
 * @param {WebGL2RenderingContext} gl
 * @param {import('../viewport/resample.js').StoredValues} data
 */
function layoutOf(gl, data) {
  if (data instanceof Int16Array) {
    return { internal: gl.R16I, format: gl.RED_INTEGER, type: gl.SHORT, sampler: 'isampler3D' };
  }
  if (data instanceof Uint16Array) {
    const type = gl.UNSIGNED_SHORT;
    return { internal: gl.R16UI, format: gl.RED_INTEGER, type, sampler: 'usampler3D' };
  }
  if (data instanceof Uint8Array) {
    const type = gl.UNSIGNED_BYTE;
    return { internal: gl.R8UI, format: gl.RED_INTEGER, type, sampler: 'usampler3D' };
  }
  if (data instanceof Int8Array) {
    return { internal: gl.R8I, format: gl.RED_INTEGER, type: gl.BYTE, sampler: 'isampler3D' };
  }
  if (data instanceof Float32Array) {
    return { internal: gl.R32F, format: gl.RED, type: gl.FLOAT, sampler: 'sampler3D' };
  }
  return null;
}

export class GpuVolume {
  #canvas = new OffscreenCanvas(1, 1);
  #gl;
  #volume;
  /** @type {ReturnType<typeof layoutOf>} */
  #layout = null;
  /** @type {import('../viewport/resample.js').StoredValues['constructor'] | null} */
  #kind = null;
  /** @type {WebGLProgram | null} */
  #program = null;
  /** @type {Map<string, WebGLUniformLocation | null>} */
  #uniforms = new Map();
  /** @type {(Held['data'] | undefined)[]} what each layer holds */
  #layers = [];
  #version = -1;
  /** @type {Uint8Array | Uint16Array | null} */
  #lut = null;

  /**
   * @param {import('./volume.js').Volume} volume
   * @throws {Error} where there is no WebGL2
   */
  constructor(volume) {
    this.#volume = volume;
    const gl = this.#canvas.getContext('webgl2', {
      alpha: false,
      antialias: false,
      depth: false,
      preserveDrawingBuffer: true,
      powerPreference: 'high-performance',
    });
    if (!gl) throw new Error('no WebGL2');
    this.#gl = gl;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  }

  get lost() {
    return this.#gl.isContextLost();
  }

  /** The name of the GPU, or an empty string where the browser keeps it to itself. */
  get renderer() {
    const extension = this.#gl.getExtension('WEBGL_debug_renderer_info');
    const name = extension ? extension.UNMASKED_RENDERER_WEBGL : this.#gl.RENDERER;
    return String(this.#gl.getParameter(name) ?? '');
  }

  /** Bytes of slices uploaded so far. */
  uploadedBytes = 0;

  /**
   * Whether all slices held can be in one texture.
   *
   * @param {Field} field
   */
  accepts({ held }) {
    const gl = this.#gl;
    if (held.length === 0 || this.lost) return false;
    const kind = this.#kind ?? held[0].data.constructor;
    const { columns, rows, slices } = this.#volume.geometry;
    const bytes = columns * rows * slices * held[0].data.BYTES_PER_ELEMENT;
    return (
      layoutOf(gl, held[0].data) !== null &&
      bytes <= MOST_BYTES &&
      Math.max(columns, rows, slices) <= gl.getParameter(gl.MAX_3D_TEXTURE_SIZE) &&
      held.every(
        (one) => one.data.constructor === kind && one.columns <= columns && one.rows <= rows,
      )
    );
  }

  /**
   * @param {PlaneRequest} request that `accepts` takes
   * @returns {OffscreenCanvas} valid until the next call
   */
  render({ field, plane, slab, linear, average, look }) {
    const gl = this.#gl;
    this.#prepare(field);
    const [width, height] = [plane.columns / average, plane.rows / average];
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    gl.viewport(0, 0, width, height);
    const at = (/** @type {string} */ name) => this.#uniforms.get(name) ?? null;
    const [first, second] = slab?.offsets ?? [[0, 0, 0]];
    gl.uniform1i(at('count'), field.held.length);
    gl.uniform1i(at('linear'), Number(linear));
    gl.uniform1i(at('replicate'), Number(field.replicate));
    gl.uniform3fv(at('origin'), plane.origin);
    gl.uniform3fv(at('right'), plane.right);
    gl.uniform3fv(at('down'), plane.down);
    gl.uniform3fv(at('low'), field.bounds[0]);
    gl.uniform3fv(at('high'), field.bounds[1]);
    gl.uniform1i(at('average'), average);
    gl.uniform1i(at('height'), height);
    gl.uniform1i(at('layers'), slab?.offsets.length ?? 1);
    gl.uniform3fv(at('firstOffset'), first);
    gl.uniform3fv(
      at('offsetStep'),
      second ? second.map((part, axis) => part - first[axis]) : first,
    );
    gl.uniform1i(at('mode'), MODES[slab?.mode ?? 'mean']);
    gl.uniform1i(at('inverted'), Number(look.inverted));
    this.#useWindow(look.window);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    return this.#canvas;
  }

  /** Waits until what was drawn is drawn: for measurements. */
  finish() {
    const gl = this.#gl;
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  }

  release() {
    this.#gl.getExtension('WEBGL_lose_context')?.loseContext();
  }

  /** @param {Field} field */
  #prepare(field) {
    if (!this.#program) this.#begin(field.held[0].data);
    if (field.version === this.#version) return;
    this.#version = field.version;
    this.#uploadSlices(field.held);
    this.#uploadTable(field.held);
  }

  /** @param {Held['data']} data */
  #begin(data) {
    const gl = this.#gl;
    this.#kind = data.constructor;
    const layout = (this.#layout = layoutOf(gl, data));
    if (!layout) throw new Error('samples that the GPU cannot hold');
    this.#program = link(gl, fragmentShader(layout.sampler));
    gl.useProgram(this.#program);
    const number = gl.getProgramParameter(this.#program, gl.ACTIVE_UNIFORMS);
    for (let i = 0; i < number; i += 1) {
      const { name } = /** @type {WebGLActiveInfo} */ (gl.getActiveUniform(this.#program, i));
      this.#uniforms.set(name, gl.getUniformLocation(this.#program, name));
    }
    for (const [name, unit] of Object.entries(UNITS)) {
      gl.uniform1i(this.#uniforms.get(name) ?? null, unit);
      bindTexture(gl, unit, name === 'stored' ? gl.TEXTURE_3D : gl.TEXTURE_2D);
    }
    const { columns, rows, slices } = this.#volume.geometry;
    gl.activeTexture(gl.TEXTURE0 + UNITS.stored);
    gl.texStorage3D(gl.TEXTURE_3D, 1, layout.internal, columns, rows, slices);
    this.#uploadLut(new Uint8Array(1));
  }

  /** @param {Held[]} held */
  #uploadSlices(held) {
    const gl = this.#gl;
    const { format, type } = /** @type {NonNullable<ReturnType<typeof layoutOf>>} */ (this.#layout);
    gl.activeTexture(gl.TEXTURE0 + UNITS.stored);
    for (const { slice, data, columns, rows } of held) {
      if (this.#layers[slice] === data) continue;
      this.#layers[slice] = data;
      this.uploadedBytes += data.byteLength;
      const size = /** @type {const} */ ([columns, rows, 1]);
      gl.texSubImage3D(gl.TEXTURE_3D, 0, 0, 0, slice, ...size, format, type, data);
    }
  }

  /** @param {Held[]} held */
  #uploadTable(held) {
    const gl = this.#gl;
    const table = new Float32Array(held.length * TEXELS * 4);
    held.forEach((one, index) => {
      const { position, slice, slope, intercept, scaleX, scaleY, offsetX, offsetY } = one;
      const texels = [position, slice, slope, intercept, scaleX, scaleY, offsetX, offsetY];
      table.set([...texels, one.columns, one.rows, slice, 0], index * TEXELS * 4);
    });
    gl.activeTexture(gl.TEXTURE0 + UNITS.slices);
    const size = /** @type {const} */ ([TEXELS, held.length]);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, ...size, 0, gl.RGBA, gl.FLOAT, table);
  }

  /** @param {import('../viewport/voi.js').Window} window */
  #useWindow(window) {
    const gl = this.#gl;
    const { center, width, lut } = window;
    const straight = ramp(window);
    let kind = WINDOW.ramp;
    /** @type {[number, number, number]} */
    let numbers = [straight?.scale ?? 0, straight?.offset ?? 0, 0];
    if (lut) {
      kind = WINDOW.table;
      numbers = [lut.first_value, lut.entries.length, 2 ** lut.bits - 1];
      if (lut.entries !== this.#lut) this.#uploadLut(lut.entries);
    } else if (window.function === 'SIGMOID') {
      kind = WINDOW.sigmoid;
      numbers = [center, width, 0];
    } else if (!straight) {
      kind = WINDOW.step;
      numbers = [window.function === 'LINEAR_EXACT' ? center : center - 0.5, 0, 0];
    }
    gl.uniform1i(this.#uniforms.get('kind') ?? null, kind);
    gl.uniform4f(this.#uniforms.get('window') ?? null, ...numbers, 0);
  }

  /** @param {Uint8Array | Uint16Array} entries */
  #uploadLut(entries) {
    const gl = this.#gl;
    this.#lut = entries;
    const rows = Math.ceil(entries.length / LUT_COLUMNS);
    const table = new Float32Array(rows * LUT_COLUMNS);
    table.set(entries);
    gl.activeTexture(gl.TEXTURE0 + UNITS.lut);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, LUT_COLUMNS, rows, 0, gl.RED, gl.FLOAT, table);
  }
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {string} fragments
 */
function link(gl, fragments) {
  const program = gl.createProgram();
  for (const [kind, text] of /** @type {[GLenum, string][]} */ ([
    [gl.VERTEX_SHADER, CORNERS],
    [gl.FRAGMENT_SHADER, fragments],
  ])) {
    const shader = gl.createShader(kind);
    if (!shader) throw new Error('the WebGL2 context is lost');
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(`the WebGL2 program does not link: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {number} unit
 * @param {GLenum} target
 */
function bindTexture(gl, unit, target) {
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(target, gl.createTexture());
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
    gl.texParameteri(target, name, gl.NEAREST);
  }
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
    gl.texParameteri(target, name, gl.CLAMP_TO_EDGE);
  }
}
