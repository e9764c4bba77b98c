// The live mirror: the camera's frames go to the server one at a time, so that a slow one gets fewer and smaller ones,
// and the emoji follow the faces. Nothing is kept but what a person takes.
import { announce, show, take } from "./app.js";
import { flip, openLens, snapshot } from "./lens.js";
import { element, say, words } from "./page.js";

const SIDES = [480, 400, 320, 256]; // long sides of a frame in pixels, from a quick server to a slow one
const SLOW_MS = 130;
const QUICK_MS = 45;
const QUALITY = 0.7;
const FULL = 4429;
const OPEN_WITHIN_MS = 15_000;
const SILENCE_MS = 5000;
const AGAIN_AFTER_MS = 2000;
const FULL_AGAIN_AFTER_MS = 10_000;
const CLIP_MS = 3000;
const GAME_S = 30;
const OVER_MS = 5000;
const SHOWN_FROM = 0.5; // probability from which a face counts as made
const HELD_FRAMES = 3;
const FOLLOW_SHARE = 0.35; // share of the way to the newest place that a drawn emoji goes in each picture on the screen

export async function openMirror() {
  const mirror = {
    faces: [],
    drawn: [],
    size: 0,
    took: [],
    isOpen: true,
    isRecording: false,
    game: null,
    restsUntil: 0,
  };
  const lens = await openLens(words.mirror, () => end(mirror));
  if (!lens) return;
  mirror.lens = lens;
  mirror.canvas = element("canvas", { "aria-hidden": "true" });
  mirror.said = element("span", {}, words.mirror_hint);
  mirror.clock = element("span", { "aria-hidden": "true" }); // changes every second, which nobody wants read out
  mirror.status = element("p", { class: "status", role: "status" }, mirror.said, mirror.clock);
  lens.scene.append(mirror.canvas, mirror.status);
  lens.add(words.snap, () => keep(mirror)).focus();
  if ("MediaRecorder" in window && mirror.canvas.captureStream) {
    mirror.clip = lens.add(words.clip, () => record(mirror), "🎬");
  }
  lens.add(words.game, () => play(mirror), "🎯");
  const meter = lens.add(words.mirror_meter, () => toggleMeter(mirror, meter), "📊");
  meter.setAttribute("aria-pressed", "false");
  lens.add(words.flip, () => flip(lens), "🔄");
  lens.add(words.close, lens.close, "✕");
  connect(mirror);
  requestAnimationFrame(() => draw(mirror));
}

function end(mirror) {
  mirror.isOpen = false;
  clearTimeout(mirror.timer);
  clearInterval(mirror.game?.timer);
  if (mirror.recorder) mirror.recorder.onstop = null;
  mirror.socket?.close();
}

// Do one thing later, in place of what was to be done before.
function after(mirror, ms, action) {
  clearTimeout(mirror.timer);
  mirror.timer = setTimeout(action, ms, mirror);
}

// Open a socket in place of the one before, of which nothing is heard any more: there is never more than one.
function connect(mirror) {
  if (!mirror.isOpen) return;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = (mirror.socket = new WebSocket(`${scheme}://${location.host}/api/v1/live`));
  after(mirror, OPEN_WITHIN_MS, lost);
  socket.onmessage = ({ data }) => {
    if (mirror.socket !== socket) return;
    clearTimeout(mirror.timer);
    const message = JSON.parse(data);
    if (message.feelings) {
      mirror.greeting = message;
      tell(mirror, "");
    } else {
      receive(mirror, message);
    }
    sendFrame(mirror);
  };
  socket.onclose = ({ code }) => {
    if (!mirror.isOpen || mirror.socket !== socket) return;
    mirror.faces = [];
    tell(mirror, code === FULL ? words.mirror_full : words.mirror_lost);
    after(mirror, code === FULL ? FULL_AGAIN_AFTER_MS : AGAIN_AFTER_MS, connect);
  };
}

function sendFrame(mirror) {
  const { socket, lens } = mirror;
  const { video } = lens;
  if (!mirror.isOpen || socket.readyState !== WebSocket.OPEN) return;
  if (!video.videoWidth) {
    after(mirror, 50, sendFrame);
    return;
  }
  const scale = Math.min(1, SIDES[mirror.size] / Math.max(video.videoWidth, video.videoHeight));
  const frame = (mirror.frame ??= document.createElement("canvas"));
  frame.width = Math.round(video.videoWidth * scale);
  frame.height = Math.round(video.videoHeight * scale);
  frame.getContext("2d").drawImage(video, 0, 0, frame.width, frame.height);
  frame.toBlob(
    (blob) => {
      if (mirror.socket !== socket || socket.readyState !== WebSocket.OPEN) return;
      mirror.sent = performance.now();
      socket.send(blob);
      after(mirror, SILENCE_MS, lost);
    },
    "image/jpeg",
    QUALITY,
  );
}

// The line is dead, which a browser may take minutes to notice.
function lost(mirror) {
  mirror.socket.close();
  mirror.faces = [];
  tell(mirror, words.mirror_lost);
  connect(mirror);
}

function receive(mirror, { faces }) {
  const ms = performance.now() - mirror.sent;
  mirror.faces = faces;
  mirror.took.push(ms);
  mirror.lens.dialog.dataset.frames = String(1 + Number(mirror.lens.dialog.dataset.frames ?? 0));
  mirror.lens.dialog.dataset.ms = ms.toFixed(0);
  if (mirror.took.length >= 8) {
    const median = mirror.took.sort((one, other) => one - other)[4];
    if (median > SLOW_MS) mirror.size = Math.min(SIDES.length - 1, mirror.size + 1);
    if (median < QUICK_MS) mirror.size = Math.max(0, mirror.size - 1);
    mirror.took = [];
  }
  if (mirror.game) judge(mirror);
  else if (performance.now() > mirror.restsUntil) tell(mirror, faces.length ? "" : words.mirror_none);
  if (mirror.meter) showMeter(mirror);
}

// Show a text, and a clock behind it. Only the text is read out.
function tell(mirror, text, clock = "") {
  if (mirror.said.textContent !== text) mirror.said.textContent = text;
  mirror.clock.textContent = clock;
  mirror.status.hidden = !text;
}

// Draw the emoji where the faces are; the whole picture, too, while a clip is recorded.
function draw(mirror) {
  if (!mirror.isOpen) return;
  const { video, facing } = mirror.lens;
  const { canvas } = mirror;
  if (video.videoWidth && (canvas.width !== video.videoWidth || canvas.height !== video.videoHeight)) {
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
  }
  mirror.drawn = mirror.faces.map((face, index) => nearer(mirror.drawn[index], face));
  paint(canvas.getContext("2d"), canvas, mirror.drawn, facing === "user", mirror.isRecording ? video : null);
  requestAnimationFrame(() => draw(mirror));
}

function nearer(before, face) {
  const isFar = !before || Math.abs(before.box[0] - face.box[0]) > face.box[2] / 2;
  if (isFar) return { ...face };
  const box = face.box.map((side, index) => before.box[index] + FOLLOW_SHARE * (side - before.box[index]));
  return { ...face, box, tilt: before.tilt + FOLLOW_SHARE * (face.tilt - before.tilt) };
}

function paint(context, { width, height }, faces, isMirrored, video) {
  context.clearRect(0, 0, width, height);
  if (video) {
    context.save();
    if (isMirrored) context.setTransform(-1, 0, 0, 1, width, 0);
    context.drawImage(video, 0, 0, width, height);
    context.restore();
  }
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const { box, tilt, emoji } of faces) {
    const [left, top, wide, high] = [box[0] * width, box[1] * height, box[2] * width, box[3] * height];
    const middle = left + wide / 2;
    context.save();
    context.translate(isMirrored ? width - middle : middle, top + high * 0.42);
    context.rotate(((isMirrored ? -tilt : tilt) * Math.PI) / 180);
    context.font = `${Math.max(wide, high) * 1.15}px Emoji, "Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji", sans-serif`;
    context.fillText(emoji, 0, 0);
    context.restore();
  }
}

// Take what is seen: the picture with its emoji as one to share, and the photo itself for an answer.
function keep(mirror) {
  if (!mirror.lens.video.videoWidth) return;
  const photo = snapshot(mirror.lens.video);
  const shared = document.createElement("canvas");
  Object.assign(shared, { width: photo.width, height: photo.height });
  paint(shared.getContext("2d"), shared, mirror.drawn, mirror.lens.facing === "user", mirror.lens.video);
  shared.toBlob((blob) => show({ text: "", picture: { name: "mirror.jpg", blob } }), "image/jpeg", 0.92);
  photo.toBlob((blob) => take([new File([blob], "camera.jpg", { type: "image/jpeg" })]), "image/jpeg", 0.92);
  mirror.lens.close();
}

function record(mirror) {
  if (mirror.isRecording) return;
  const kind = ["video/mp4", "video/webm"].find((each) => MediaRecorder.isTypeSupported(each));
  const recorder = new MediaRecorder(mirror.canvas.captureStream(25), kind ? { mimeType: kind } : {});
  const pieces = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  recorder.onstop = () => {
    mirror.isRecording = false;
    mirror.clip.removeAttribute("aria-busy");
    const type = recorder.mimeType.split(";")[0];
    const blob = new Blob(pieces, { type });
    if (blob.size) show({ text: "", picture: { name: `mirror.${type.split("/")[1]}`, blob } });
    mirror.lens.close();
  };
  mirror.recorder = recorder;
  mirror.isRecording = true;
  mirror.clip.setAttribute("aria-busy", "true");
  recorder.start();
  setTimeout(() => recorder.state === "recording" && recorder.stop(), CLIP_MS);
}

// The game: make the face of one emoji after the other, against the clock.
function play(mirror) {
  if (!mirror.greeting || mirror.game) return;
  mirror.game = { points: 0, held: 0, left: GAME_S, target: null };
  nextTarget(mirror);
  announce(say("game_left", { number: GAME_S }));
  mirror.game.timer = setInterval(() => {
    mirror.game.left -= 1;
    if (mirror.game.left === GAME_S / 2) announce(say("game_left", { number: mirror.game.left }));
    if (mirror.game.left > 0) {
      ask(mirror);
      return;
    }
    clearInterval(mirror.game.timer);
    const over = say("game_over", { number: mirror.game.points });
    mirror.game = null;
    show({ text: over });
    tell(mirror, over);
    mirror.restsUntil = performance.now() + OVER_MS;
  }, 1000);
}

function nextTarget(mirror) {
  const { emotions } = mirror.greeting;
  const others = emotions.map((_, index) => index).filter((index) => index !== mirror.game.target);
  mirror.game.target = others[Math.floor(Math.random() * others.length)];
  mirror.game.held = 0;
  ask(mirror);
}

function ask(mirror) {
  const { target, left, points } = mirror.game;
  const wanted = say("game_asks", { emoji: mirror.greeting.emoji[target] });
  tell(mirror, `${wanted} · ${say("game_points", { number: points })}`, ` · ${left} s`);
}

function judge(mirror) {
  const { game, faces } = mirror;
  const isMade = faces.length && faces[0].emotions[game.target] >= SHOWN_FROM;
  game.held = isMade ? game.held + 1 : 0;
  if (game.held < HELD_FRAMES) return;
  game.points += 1;
  nextTarget(mirror);
}

function toggleMeter(mirror, key) {
  if (mirror.meter) {
    mirror.meter.remove();
    mirror.meter = null;
  } else if (mirror.greeting) {
    const bar = (feeling) => [element("dt", {}, feeling), element("dd", {}, element("i"))];
    mirror.meter = element("dl", { class: "meter" }, ...mirror.greeting.feelings.flatMap(bar));
    mirror.lens.scene.append(mirror.meter);
    showMeter(mirror);
  }
  key.setAttribute("aria-pressed", String(Boolean(mirror.meter)));
}

function showMeter(mirror) {
  const shares = mirror.faces[0]?.emotions ?? [];
  for (const [index, bar] of mirror.meter.querySelectorAll("i").entries()) {
    bar.style.width = `${100 * (shares[index] ?? 0)}%`;
  }
}
