// Take the metadata out of a JPEG without decoding it (ITU-T T.81, annex B; Exif 2.3, section 4.6).
const START = 0xd8;
const END = 0xd9;
const SCAN = 0xda;
const APPLICATION = 0xe0; // the first marker of what programs write beside the picture
const EXIF = 0xe1;
const JFIF_BYTES = 18; // of its segment without a thumbnail
const COLOURS = new Map([
  [0xe0, "JFIF\0"],
  [0xe2, "ICC_PROFILE\0"],
  [0xee, "Adobe"],
]); // what says how colours are meant: the marker and the beginning of its segment
const ORIENTATION = 0x0112;

// The segments of a JPEG as [marker, start, end], those of scans with their data; the last one is its end, unless it was
// cut off or is damaged. What follows is no part of it: the film of a motion photo, or another picture. Null for what is
// no JPEG.
function segments(bytes) {
  if (bytes[0] !== 0xff || bytes[1] !== START) return null;
  const found = [];
  let at = 2;
  while (at + 2 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    if (marker === END) {
      found.push([marker, at, at + 2]);
      break;
    }
    if (marker === 0xff) {
      at += 1; // a fill byte
      continue;
    }
    let end = at + 2 + ((bytes[at + 2] << 8) | bytes[at + 3]);
    if (end > bytes.length) break;
    if (marker === SCAN) end = endOfScan(bytes, end);
    found.push([marker, at, end]);
    at = end;
  }
  return found;
}

// Where the next marker is that does not belong to the data of a scan.
function endOfScan(bytes, start) {
  let at = bytes.indexOf(0xff, start);
  while (at >= 0 && (bytes[at + 1] === 0 || (bytes[at + 1] >= 0xd0 && bytes[at + 1] <= 0xd7))) {
    at = bytes.indexOf(0xff, at + 2);
  }
  return at < 0 ? bytes.length : at;
}

// The same picture without metadata as { pieces, isWhole }; null for what is no JPEG. isWhole: nothing of it is missing.
export function withoutMetadata(bytes) {
  const all = segments(bytes);
  if (!all) return null;
  const kept = all.filter((segment) => isOfPicture(bytes, segment));
  const pieces = [bytes.subarray(0, 2), ...kept.map(([, start, end]) => bytes.subarray(start, end))];
  return { pieces, isWhole: all.at(-1)?.[0] === END };
}

function isOfPicture(bytes, [marker, start, end]) {
  if (marker < APPLICATION) return true;
  if (marker === APPLICATION && end - start > JFIF_BYTES) return false;
  const name = COLOURS.get(marker);
  return name !== undefined && [...name].every((letter, place) => bytes[start + 4 + place] === letter.charCodeAt(0));
}

// Whether a JPEG says that it has to be turned or mirrored.
export function oriented(bytes) {
  const all = segments(bytes) ?? [];
  return all.some(([marker, start, end]) => marker === EXIF && turns(bytes.subarray(start, end)));
}

function turns(segment) {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  const tiff = 10; // after the marker, the length, and "Exif\0\0"
  if (view.byteLength < tiff + 14 || view.getUint32(4) !== 0x45786966) return false;
  const isLittle = view.getUint16(tiff) === 0x4949;
  const directory = tiff + view.getUint32(tiff + 4, isLittle);
  if (directory + 2 > view.byteLength) return true; // damaged: let the browser decide, and draw it
  const count = view.getUint16(directory, isLittle);
  for (let number = 0; number < count; number += 1) {
    const entry = directory + 2 + 12 * number;
    if (entry + 10 > view.byteLength) return true;
    if (view.getUint16(entry, isLittle) === ORIENTATION) return view.getUint16(entry + 8, isLittle) !== 1;
  }
  return false;
}
