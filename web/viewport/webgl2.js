/**
 * Maps stored values to grey with a table, on the GPU: integer textures, the same table as `canvas2d.js`, so the same
 * pixels to the last bit.
 *
 * @typedef {import('./resample.js').Buffer} Buffer
 * @typedef {import('./geometry.js').Region} Region
 * @typedef {import('./canvas2d.js').Mapper} Mapper
 */

import { bitPatterns } from './canvas2d.js';

/** The table is a texture as wide as the low byte of a sample. */
const TABLE_COLUMNS = 256;

const CORNERS = `#version 300 es
void main() {
  gl_Position = vec4(vec2((gl_VertexID << 1) & 2, gl_VertexID & 2) * 2.0 - 1.0, 0.0, 1.0);
}`;

const LOOK_UP = `#version 300 es
precision highp float;
precision highp int;
uniform highp usampler2D stored;
uniform highp usampler2D table;
uniform ivec2 origin;
uniform int height;
out vec4 colour;
void main() {
  ivec2 at = origin + ivec2(int(gl_FragCoord.x), height - 1 - int(gl_FragCoord.y));
  int pattern = int(texelFetch(stored, at, 0).r);
  uint grey = texelFetch(table, ivec2(pattern & 255, pattern >> 8), 0).r;
  colour = vec4(vec3(float(grey) / 255.0), 1.0);
}`;

/** @implements {Mapper} */
export class WebGl2Mapper {
  /** @type {'webgl2'} */
  kind = 'webgl2';
  #canvas = new OffscreenCanvas(1, 1);
  #gl;
  #largest;
  #uniforms;
  /** @type {Buffer | null} what the texture holds */
  #buffer = null;
  /** @type {Uint8Array | null} what the table texture holds */
  #table = null;

  /** @throws {Error} where there is no WebGL2, or the program does not link */
  constructor() {
    const gl = this.#canvas.getContext('webgl2', {
      alpha: false,
      antialias: false,
      depth: false,
      preserveDrawingBuffer: true,
      powerPreference: 'high-performance',
    });
    if (!gl) throw new Error('no WebGL2');
    this.#gl = gl;
    this.#largest = gl.getParameter(gl.MAX_TEXTURE_SIZE);
    this.#uniforms = useProgram(gl);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    useTexture(gl, gl.TEXTURE0);
    useTexture(gl, gl.TEXTURE1);
  }

  /** The name of the GPU, or an empty string where the browser keeps it to itself. */
  get renderer() {
    const extension = this.#gl.getExtension('WEBGL_debug_renderer_info');
    const name = extension ? extension.UNMASKED_RENDERER_WEBGL : this.#gl.RENDERER;
    return String(this.#gl.getParameter(name) ?? '');
  }

  get lost() {
    return this.#gl.isContextLost();
  }

  /**
   * @param {Buffer} buffer
   * @returns {boolean}
   */
  accepts({ samplesPerPixel, columns, rows }) {
    return samplesPerPixel === 1 && Math.max(columns, rows) < this.#largest;
  }

  /**
   * @param {import('./canvas2d.js').Context} context
   * @param {Buffer} buffer
   * @param {Region} region
   * @param {Uint8Array} table
   * @param {number} x
   * @param {number} y
   */
  draw(context, buffer, region, table, x, y) {
    const gl = this.#gl;
    const { width, height } = region;
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    if (buffer !== this.#buffer) this.#upload(gl.TEXTURE0, bitPatterns(buffer.data), buffer);
    this.#buffer = buffer;
    if (table !== this.#table) {
      const rows = table.length / TABLE_COLUMNS;
      this.#upload(gl.TEXTURE1, table, { columns: TABLE_COLUMNS, rows });
    }
    this.#table = table;
    gl.viewport(0, 0, width, height);
    gl.uniform2i(this.#uniforms.origin, region.x, region.y);
    gl.uniform1i(this.#uniforms.height, height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    context.drawImage(this.#canvas, x, y);
  }

  release() {
    this.#buffer = null;
    this.#table = null;
    this.#gl.getExtension('WEBGL_lose_context')?.loseContext();
  }

  /**
   * @param {GLenum} unit
   * @param {Uint8Array | Uint16Array} patterns
   * @param {{columns: number, rows: number}} size
   */
  #upload(unit, patterns, { columns, rows }) {
    const gl = this.#gl;
    const wide = patterns instanceof Uint16Array;
    const format = wide ? gl.R16UI : gl.R8UI;
    const type = wide ? gl.UNSIGNED_SHORT : gl.UNSIGNED_BYTE;
    gl.activeTexture(unit);
    gl.texImage2D(
      gl.TEXTURE_2D,
      0,
      format,
      columns,
      rows,
      0,
      gl.RED_INTEGER,
      type,
      patterns.subarray(0, columns * rows),
    );
  }
}

/**
 * @param {WebGL2RenderingContext} gl
 * @returns {Record<'origin' | 'height', WebGLUniformLocation | null>}
 */
function useProgram(gl) {
  const program = gl.createProgram();
  for (const [kind, text] of /** @type {[GLenum, string][]} */ ([
    [gl.VERTEX_SHADER, CORNERS],
    [gl.FRAGMENT_SHADER, LOOK_UP],
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
  gl.useProgram(program);
  gl.uniform1i(gl.getUniformLocation(program, 'stored'), 0);
  gl.uniform1i(gl.getUniformLocation(program, 'table'), 1);
  return {
    origin: gl.getUniformLocation(program, 'origin'),
    height: gl.getUniformLocation(program, 'height'),
  };
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {GLenum} unit
 */
function useTexture(gl, unit) {
  gl.activeTexture(unit);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
    gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
  }
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
    gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
  }
}
