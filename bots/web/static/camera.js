// Take a photo.
import { take } from "./app.js";
import { flip, openLens, snapshot } from "./lens.js";
import { element, words } from "./page.js";

export async function openCamera() {
  let timer = 0;
  const lens = await openLens(words.camera, () => clearInterval(timer));
  if (!lens) return;
  const snap = () => {
    if (!lens.video.videoWidth) return;
    snapshot(lens.video).toBlob(
      (blob) => take([new File([blob], "camera.jpg", { type: "image/jpeg" })]),
      "image/jpeg",
      0.92,
    );
    lens.close();
  };
  const count = () => {
    let left = 3;
    const shown = element("div", { class: "count", role: "timer" }, String(left));
    lens.scene.querySelector(".count")?.remove();
    lens.scene.append(shown);
    clearInterval(timer);
    timer = setInterval(() => {
      left -= 1;
      shown.textContent = String(left);
      if (left) return;
      clearInterval(timer);
      snap();
    }, 1000);
  };
  lens.add(words.snap, snap).focus();
  lens.add(words.timer, count, "⏱️");
  lens.add(words.flip, () => flip(lens), "🔄");
  lens.add(words.close, lens.close, "✕");
}
