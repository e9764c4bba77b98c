// The camera in a window of its own; it is switched off whenever the window closes, by any way, or is hidden.
import { tell } from "./app.js";
import { element, words } from "./page.js";

// Open the window; return { dialog, video, tools, add, close }, or null, and say so, if there is no camera.
export async function openLens(name, onClose) {
  const video = element("video", { class: "viewfinder facing", playsinline: true, autoplay: true });
  video.muted = true;
  const scene = element("div", { class: "scene" }, video);
  const tools = element("div", { class: "tools" });
  const said = element("p", { class: "unseen", "aria-live": "polite", "data-said": true });
  const dialog = element("dialog", { class: "lens", "aria-label": name }, scene, tools, said);
  const lens = { dialog, video, scene, facing: "user", stream: null };
  lens.add = (label, onclick, icon = "") => {
    const named = icon ? { class: "icon", "aria-label": label, title: label } : { class: "main" };
    return tools.appendChild(element("button", { type: "button", ...named, onclick }, icon || label));
  };
  lens.close = () => dialog.close();
  const hide = () => document.hidden && dialog.close();
  dialog.addEventListener("close", () => {
    stop(lens);
    document.removeEventListener("visibilitychange", hide);
    dialog.remove();
    onClose?.();
  });
  document.addEventListener("visibilitychange", hide);
  document.body.append(dialog);
  dialog.showModal();
  if (!(await start(lens))) {
    if (!dialog.open) return null; // closed while the browser asked
    dialog.close();
    await tell({ text: navigator.mediaDevices ? words.no_camera : words.camera_needs_https });
    return null;
  }
  return dialog.open ? lens : null;
}

// Change between the camera that faces the person and the other one.
export async function flip(lens) {
  lens.facing = lens.facing === "user" ? "environment" : "user";
  stop(lens);
  if (!(await start(lens))) lens.close();
}

// Switch the camera on; off again at once if the window was closed, or another camera asked for, while the browser asked.
async function start(lens) {
  const turn = (lens.turn = (lens.turn ?? 0) + 1);
  let stream = null;
  try {
    const wanted = { facingMode: lens.facing, width: { ideal: 1280 }, height: { ideal: 960 } };
    stream = await navigator.mediaDevices.getUserMedia({ video: wanted });
    if (!lens.dialog.open || lens.turn !== turn) throw new DOMException("no longer wanted", "AbortError");
    lens.stream = lens.video.srcObject = stream;
    lens.video.classList.toggle("facing", lens.facing === "user");
    await lens.video.play();
    return true;
  } catch {
    stream?.getTracks().forEach((track) => track.stop());
    return lens.turn !== turn; // another start has taken over
  }
}

function stop(lens) {
  lens.stream?.getTracks().forEach((track) => track.stop());
  lens.stream = lens.video.srcObject = null;
}

export function snapshot(video) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas;
}
