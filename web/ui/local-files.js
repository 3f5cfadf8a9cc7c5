/** Files that the reader drops or chooses; nothing here reads them. */

import { make } from './dom.js';

/** A dropped home folder must not be walked to its end. */
const MOST_FILES = 100_000;

/**
 * All files of a drop, those in folders too, hidden ones left out. To be called while the event is handled: later its
 * items are gone.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<File[]>}
 */
export async function droppedFiles(transfer) {
  const entries = [...transfer.items]
    .filter(({ kind }) => kind === 'file')
    .map((item) => item.webkitGetAsEntry());
  const plain = [...transfer.files];
  if (entries.some((entry) => entry === null)) return plain;
  /** @type {File[]} */
  const files = [];
  for (const entry of entries) if (entry) await collect(entry, files);
  return files;
}

/**
 * @param {FileSystemEntry} entry
 * @param {File[]} files
 */
async function collect(entry, files) {
  if (entry.name.startsWith('.') || files.length >= MOST_FILES) return;
  if (entry.isFile) {
    const file = await fileOf(/** @type {FileSystemFileEntry} */ (entry)).catch(() => null);
    if (file) files.push(file);
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (;;) {
    // a folder is read in parts, the last of which is empty
    const part = await entriesOf(reader).catch(() => []);
    if (part.length === 0) return;
    for (const child of part) await collect(child, files);
  }
}

/**
 * @param {FileSystemFileEntry} entry
 * @returns {Promise<File>}
 */
function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/**
 * @param {FileSystemDirectoryReader} reader
 * @returns {Promise<FileSystemEntry[]>}
 */
function entriesOf(reader) {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

/**
 * Asks for files, or a folder; must be called by a click or a key.
 *
 * @param {{folder: boolean}} options
 * @param {(files: File[]) => void} chosen not called when the reader thinks better of it
 */
export function chooseFiles({ folder }, chosen) {
  const input = make('input', { type: 'file', multiple: '' });
  input.webkitdirectory = folder;
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])].filter(({ name }) => !name.startsWith('.'));
    if (files.length > 0) chosen(files);
  });
  input.click();
}

/**
 * Takes files that are dropped on an element, and says so while they hover above it.
 *
 * @param {HTMLElement} target
 * @param {{hover: (over: boolean) => void, dropped: (files: File[]) => void}} host
 */
export function acceptDrops(target, { hover, dropped }) {
  const hasFiles = (/** @type {DragEvent} */ { dataTransfer }) =>
    dataTransfer?.types.includes('Files') ?? false;
  target.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    hover(true);
  });
  target.addEventListener('dragleave', ({ relatedTarget }) => {
    if (!target.contains(/** @type {Node | null} */ (relatedTarget))) hover(false);
  });
  target.addEventListener('drop', async (event) => {
    if (!hasFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    hover(false);
    const files = await droppedFiles(event.dataTransfer);
    if (files.length > 0) dropped(files);
  });
}
