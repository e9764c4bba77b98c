// Take the metadata out of a JPEG without decoding it (ITU-T T.81, annex B; Exif 2.3, section 4.6).
const START = 0xd8;
const SCAN = 0xda;
const EXIF = 0xe1;
const COMMENT = 0xfe;
const COLOURS = new Set([0xe0, 0xe2, 0xee]); // JFIF, colour profile, Adobe's colour transform
const ORIENTATION = 0x0112;

// The segments before the picture data as [marker, start, end]; null for what is no JPEG.
function segments(bytes) {
  if (bytes[0] !== 0xff || bytes[1] !== START) return null;
  const found = [];
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    if (marker === SCAN) return { found, rest: at };
    const end = at + 2 + ((bytes[at + 2] << 8) | bytes[at + 3]);
    if (end > bytes.length) return null;
    found.push([marker, at, end]);
    at = end;
  }
  return null;
}

// The pieces of the same picture without metadata; null for what is no JPEG.
export function withoutMetadata(bytes) {
  const parts = segments(bytes);
  if (!parts) return null;
  const isKept = ([marker]) => COLOURS.has(marker) || (marker !== COMMENT && (marker < 0xe0 || marker > 0xef));
  const kept = parts.found.filter(isKept).map(([, start, end]) => bytes.subarray(start, end));
  return [bytes.subarray(0, 2), ...kept, bytes.subarray(parts.rest)];
}

// Whether a JPEG says that it has to be turned or mirrored.
export function oriented(bytes) {
  const parts = segments(bytes);
  return (
    Boolean(parts) && parts.found.some(([marker, start, end]) => marker === EXIF && turns(bytes.subarray(start, end)))
  );
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
