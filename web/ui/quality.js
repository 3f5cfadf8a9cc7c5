/** What a reader must tell apart of a frame, and how a map of many frames draws it; pure but for the canvas it is given. */

/**
 * @typedef {import('../engine/records.js').FrameState} FrameState
 * @typedef {'waiting' | 'replica' | 'reduced' | 'lossless' | 'lossy' | 'retrying' | 'failed'} Grade
 * @typedef {{grade: Grade, part: number}} Graded `part`: of its resolution levels, 0 to 1
 */

/** Where a crowd shares a pixel, the grade that stands latest here is the one shown. */
export const GRADES = /** @type {const} */ ([
  'lossless',
  'lossy',
  'reduced',
  'replica',
  'waiting',
  'retrying',
  'failed',
]);

/** @type {Record<Grade, string>} */
export const GRADE_COLOURS = {
  waiting: '#1d1f22',
  replica: '#9d86c9',
  reduced: '#5d8cb5',
  lossless: '#74ab8f',
  lossy: '#bcae78',
  retrying: '#d9a441',
  failed: '#dd7a5c',
};

/** What the legend says. @type {[Grade, string][]} */
export const LEGEND = [
  ['waiting', 'nothing here yet'],
  ['replica', 'a neighbour stands in for it'],
  ['reduced', 'loading; the higher, the finer'],
  ['lossless', 'final, lossless'],
  ['lossy', 'final, lossy or reduced'],
  ['retrying', 'trying again'],
  ['failed', 'failed'],
];

/** Height of a bar that holds the coarsest level, and of one that holds all but is not final, as parts of a full one. */
const LEAST_HEIGHT = 0.3;
const MOST_HEIGHT = 0.85;

/** Steps of `part` that fit a byte beside the grade. */
const PARTS = 31;

/** @param {FrameState} state */
export function isFinal({ status }) {
  return status === 'lossless' || status === 'complete' || status === 'configured';
}

/**
 * @param {FrameState} state
 * @returns {Graded}
 */
export function gradeOf({ status, resolutionLevel, decompositionLevels, replicaOf }) {
  if (status === 'failed') return { grade: 'failed', part: 1 };
  if (status === 'lossless') return { grade: 'lossless', part: 1 };
  if (status === 'complete' || status === 'configured') return { grade: 'lossy', part: 1 };
  const held = resolutionLevel !== null;
  const part = held && decompositionLevels ? resolutionLevel / decompositionLevels : Number(held);
  if (status === 'retrying') return { grade: 'retrying', part };
  if (held) return { grade: 'reduced', part };
  return { grade: typeof replicaOf === 'number' ? 'replica' : 'waiting', part: 0 };
}

/**
 * A grade as a byte, of which a larger one is worse: a crowd shows its largest.
 *
 * @param {Graded} graded
 */
export function packed({ grade, part }) {
  return GRADES.indexOf(grade) * (PARTS + 1) + Math.round((1 - part) * PARTS);
}

/**
 * @param {number} byte
 * @returns {Graded}
 */
export function unpacked(byte) {
  return {
    grade: GRADES[Math.floor(byte / (PARTS + 1))],
    part: 1 - (byte % (PARTS + 1)) / PARTS,
  };
}

/**
 * One bar of the map. Shapes say what colours say, for those who do not tell the colours apart: a loading one is the
 * higher the finer, a lossy one has a slit, one tried again a dot above it, and a failed one hangs from the top.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Graded} graded
 * @param {{x: number, y: number, width: number, height: number}} box device px, whole numbers
 */
export function drawGrade(context, { grade, part }, { x, y, width, height }) {
  const bottom = y + height;
  context.fillStyle = GRADE_COLOURS.waiting;
  context.fillRect(x, y, width, height);
  context.fillStyle = GRADE_COLOURS[grade];
  const fine = LEAST_HEIGHT + (MOST_HEIGHT - LEAST_HEIGHT) * part;
  const tall = Math.round(height * fine);
  const thin = Math.max(1, Math.round(height / 6));
  if (grade === 'replica') context.fillRect(x, bottom - thin, width, thin);
  else if (grade === 'reduced') context.fillRect(x, bottom - tall, width, tall);
  else if (grade === 'failed') context.fillRect(x, y, width, Math.ceil(height * 0.55));
  else if (grade === 'retrying') {
    const held = part > 0 ? Math.round(height * fine * 0.6) : thin;
    context.fillRect(x, bottom - held, width, held);
    context.fillRect(x, y, width, thin);
  } else if (grade === 'lossless' || grade === 'lossy') context.fillRect(x, y, width, height);
  if (grade === 'lossy') {
    context.fillStyle = GRADE_COLOURS.waiting;
    context.fillRect(x, y + Math.round(height * 0.35), width, thin);
  }
}
