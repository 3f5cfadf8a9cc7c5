/**
 * One level of the reversible inverse wavelet transform (ISO/IEC 15444-1 F.3), done again with an LL that was not there.
 *
 * `detail` is what the decoder made of HL, LH and HH with an LL of 0. What LL changes is small: in x, a row before the
 * vertical transform, even samples have LL added, and odd ones the difference that this makes to the mean of their
 * neighbours. The vertical transform takes the same from an even row whatever is in it, and gives an odd row the mean of
 * the even ones. So this needs the high-pass rows, which the detail gives back exactly, and nothing else of the forward
 * transform.
 */

/** @typedef {[left: number, top: number, right: number, bottom: number]} Box samples of one level, right and bottom outside */

/**
 * @typedef {object} Picture samples of a box, row-major, those of a pixel side by side
 * @property {Int16Array | Int32Array} data
 * @property {Box} box
 * @property {number} samplesPerPixel
 */

/**
 * @param {Picture} detail of a box whose left and top are even
 * @param {Picture} below the level below, at least the samples that those of `box` depend on
 * @param {Box} box what to make; two samples inside of the detail's box, or at the image's edge as this is
 * @returns {Picture}
 */
export function synthesize(detail, below, box) {
  const [, top, , bottom] = box;
  const rows = new Rows(detail, below, box);
  const last = Math.min((bottom >> 1) + 1, below.box[3]);
  rows.start(top >> 1);
  for (let n = top >> 1; n < last; n++) rows.step(n, n + 1 < last);
  const { data } = rows;
  return { data, box, samplesPerPixel: detail.samplesPerPixel };
}

/**
 * The rows of one transform, from the even column before the box on; `n` counts pairs of them in the whole level. All
 * are copies of the same kind, whatever the samples come as, which the loops over them owe their speed to.
 */
class Rows {
  /** The samples made. @type {Int32Array} */
  data;
  #detail;
  #below;
  #samples;
  #top;
  #bottom;
  /** Even column at which all rows begin here. */
  #left;
  #length;
  /** Samples of a row that lie before the box, and in it. */
  #skip;
  #stride;

  /** Even row `n` of the detail, and `n + 1`. @type {Int32Array[]} */
  #evens;
  /** High-pass row `n - 1`, and `n`. @type {Int32Array[]} */
  #highs;
  /** Even row `n - 1` of what is made, and `n`. @type {Int32Array[]} */
  #made;
  /** Of LL. @type {Int32Array} */
  #low;
  /** Whether there is a high-pass row `n - 1`: not at the top of the image. */
  #hasHigh = false;

  /**
   * @param {Picture} detail
   * @param {Picture} below
   * @param {Box} box
   */
  constructor(detail, below, [left, top, right, bottom]) {
    const lastPair = Math.min((right >> 1) + 1, below.box[2]);
    const samples = detail.samplesPerPixel;
    this.#detail = detail;
    this.#below = below;
    this.#samples = samples;
    this.#top = top;
    this.#bottom = bottom;
    this.#left = 2 * (left >> 1);
    this.#skip = (left - this.#left) * samples;
    this.#stride = (right - left) * samples;
    this.#length = (Math.max(right, 2 * lastPair - 1) - this.#left) * samples;
    const pair = () => [new Int32Array(this.#length), new Int32Array(this.#length)];
    [this.#evens, this.#highs, this.#made] = [pair(), pair(), pair()];
    this.#low = new Int32Array((lastPair - this.#left / 2) * samples);
    this.data = new Int32Array((bottom - top) * this.#stride);
  }

  /**
   * Before the first step, to even row `n`.
   *
   * @param {number} n
   */
  start(n) {
    this.#read(2 * n, this.#evens[1]);
    this.#hasHigh = this.#read(2 * n - 2, this.#evens[0]);
    if (this.#hasHigh) this.#readHigh(2 * n - 1);
  }

  /**
   * Makes even row `n` and the odd row before it; and the one after, where no other even row follows.
   *
   * @param {number} n
   * @param {boolean} isFollowed
   */
  step(n, isFollowed) {
    this.#evens.reverse();
    const hadHigh = this.#hasHigh;
    const nextEven = this.#read(2 * n + 2, this.#evens[1]);
    if (!nextEven) this.#evens[1].set(this.#evens[0]);
    this.#highs.reverse();
    this.#hasHigh = this.#readHigh(2 * n + 1);
    const [above, under] = this.#highs;
    this.#made.reverse();
    if (hadHigh) this.#makeEven(n, above, this.#hasHigh ? under : above);
    else this.#makeEven(n, under, under); // of zeros, where the level is one row
    const [before, made] = this.#made;
    if (hadHigh) this.#putOdd(2 * n - 1, above, before, made);
    if (this.#hasHigh && !isFollowed) this.#putOdd(2 * n + 1, under, made, made);
  }

  /**
   * @param {number} y
   * @param {Int32Array} row
   * @returns {boolean} whether there is one
   */
  #read(y, row) {
    const [left, top, right, bottom] = this.#detail.box;
    if (y < top || y >= bottom) return false;
    const at = ((y - top) * (right - left) + this.#left - left) * this.#samples;
    row.set(this.#detail.data.subarray(at, at + this.#length));
    return true;
  }

  /**
   * The high-pass row that odd row `y` holds, between the even rows held.
   *
   * @param {number} y
   * @returns {boolean} whether there is one
   */
  #readHigh(y) {
    const row = this.#highs[1];
    if (!this.#read(y, row)) return false;
    const [above, under] = this.#evens;
    for (let i = 0; i < row.length; i++) row[i] -= (above[i] + under[i]) >> 1;
    return true;
  }

  /**
   * @param {number} n
   * @param {Int32Array} above high-pass row
   * @param {Int32Array} under
   */
  #makeEven(n, above, under) {
    const [left, top, right] = this.#below.box;
    const [even, made, low, samples] = [this.#evens[0], this.#made[1], this.#low, this.#samples];
    const at = ((n - top) * (right - left) + this.#left / 2 - left) * samples;
    low.set(this.#below.data.subarray(at, at + low.length));
    const end = even.length - 2 * samples; // up to here there is a next even sample
    for (let k = 0; k < samples; k++) {
      // of a low-pass row, before the vertical transform: what the means of even samples are made of
      let mean = even[k] + ((above[k] + under[k] + 2) >> 2);
      let added = low[k];
      let [i, m] = [k, k];
      for (; i < end; i += 2 * samples) {
        const next = i + 2 * samples;
        const nextMean = even[next] + ((above[next] + under[next] + 2) >> 2);
        const nextAdded = low[(m += samples)];
        const sum = mean + nextMean;
        made[i] = even[i] + added;
        const odd = i + samples;
        made[odd] = even[odd] + ((sum + added + nextAdded) >> 1) - (sum >> 1);
        mean = nextMean;
        added = nextAdded;
      }
      made[i] = even[i] + added;
      if (i + samples < even.length) made[i + samples] = even[i + samples] + added;
    }
    const y = 2 * n - this.#top;
    if (y < 0 || 2 * n >= this.#bottom) return;
    this.data.set(made.subarray(this.#skip, this.#skip + this.#stride), y * this.#stride);
  }

  /**
   * @param {number} y
   * @param {Int32Array} high
   * @param {Int32Array} above
   * @param {Int32Array} under
   */
  #putOdd(y, high, above, under) {
    if (y < this.#top || y >= this.#bottom) return;
    const { data } = this;
    const [start, skip, stride] = [(y - this.#top) * this.#stride, this.#skip, this.#stride];
    for (let i = 0; i < stride; i++) {
      const at = skip + i;
      data[start + i] = high[at] + ((above[at] + under[at]) >> 1);
    }
  }
}
