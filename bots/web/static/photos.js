// Photos before they are sent: turned upright, made smaller and freed of what a camera writes about place and time.
import { oriented, withoutMetadata } from "./jpeg.js";

const LONG_SIDE = 1600;
const QUALITY = 0.93;

// Return what is sent of a file, and whether this browser can show it. What it cannot open, and what moves, is sent as
// it is; a JPEG of which something is missing, too, but without metadata.
export async function prepared(file) {
  if (file.type.startsWith("video/")) return { blob: file, isShown: await plays(file) };
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  if (!bitmap) return { blob: await freed(file), isShown: false };
  if (file.type === "image/gif" || (await moves(file))) return { blob: file, isShown: true };
  const scale = LONG_SIDE / Math.max(bitmap.width, bitmap.height);
  if (scale >= 1) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const same = oriented(bytes) ? null : withoutMetadata(bytes);
    if (same?.isWhole) return { blob: new Blob(same.pieces, { type: "image/jpeg" }), isShown: true };
  }
  return { blob: (await drawn(bitmap, Math.min(1, scale))) ?? file, isShown: true };
}

async function freed(file) {
  if (file.type !== "image/jpeg") return file;
  const same = withoutMetadata(new Uint8Array(await file.arrayBuffer()));
  return same ? new Blob(same.pieces, { type: file.type }) : file;
}

async function drawn(bitmap, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // a JPEG has no transparency
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

async function moves(file) {
  if (!("ImageDecoder" in window) || !["image/png", "image/webp", "image/avif"].includes(file.type)) return false;
  try {
    const decoder = new ImageDecoder({ data: await file.arrayBuffer(), type: file.type });
    await decoder.tracks.ready;
    return decoder.tracks.selectedTrack.animated;
  } catch {
    return false;
  }
}

function plays(file) {
  return new Promise((resolve) => {
    const video = document.createElement("video");
    const url = URL.createObjectURL(file);
    const end = (can) => {
      URL.revokeObjectURL(url);
      resolve(can);
    };
    video.onloadeddata = () => end(true);
    video.onerror = () => end(false);
    setTimeout(end, 3000, false);
    video.muted = true;
    video.preload = "auto";
    video.src = url;
  });
}
