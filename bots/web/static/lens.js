// The camera in a window of its own; it is switched off whenever the window closes, by any way, or is hidden.
import { addSaid } from "./app.js";
import { element, words } from "./page.js";

// Open the window; return { dialog, video, tools, add, close }, or null, and say so, if there is no camera.
export async function openLens(name, onClose) {
  const video = element("video", { class: "viewfinder facing", playsinline: true, autoplay: true });
  video.muted = true;
  const scene = element("div", { class: "scene" }, video);
  const tools = element("div", { class: "tools" });
  const dialog = element("dialog", { class: "lens", "aria-label": name }, scene, tools);
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
    dialog.close();
    await addSaid({ text: navigator.mediaDevices ? words.no_camera : words.camera_needs_https });
    return null;
  }
  if (!dialog.open) stop(lens); // closed while the browser asked
  return dialog.open ? lens : null;
}

// Change between the camera that faces the person and the other one.
export async function flip(lens) {
  lens.facing = lens.facing === "user" ? "environment" : "user";
  stop(lens);
  if (!(await start(lens))) lens.close();
}

async function start(lens) {
  try {
    const wanted = { facingMode: lens.facing, width: { ideal: 1280 }, height: { ideal: 960 } };
    lens.stream = await navigator.mediaDevices.getUserMedia({ video: wanted });
    lens.video.srcObject = lens.stream;
    lens.video.classList.toggle("facing", lens.facing === "user");
    await lens.video.play();
    return true;
  } catch {
    return false;
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
