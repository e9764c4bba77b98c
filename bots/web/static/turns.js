// Draw the conversation: a turn is what somebody sent and what the bot said to it, or what the bot said by itself.
//
// A turn of photos: { id, photos: [photo], chosen: { photo, face } }. A photo: { id, blob, isShown, state: "waiting",
// "answered" or "refused", said, again, reaction, faces, rows, preview }. A face: as the server has it, and a note. A
// turn of the bot: { id, said: { text, rows, note, picture, file, covers, arranged }, of }, where `of` names a photo that a
// picture was made from, `covers` is a token if what covers its faces can be changed, and `arranged` is what was chosen.
import { element, forgetUrls, keys, say, urlOf, words } from "./page.js";

const RING = "http://www.w3.org/2000/svg";

export class Turns {
  // actions: tap(turn, part, button, key), choose(turn, photo, face), again(turn, photo), copy(turn, blob, key),
  // cover(turn, key).
  constructor(log, actions) {
    this.log = log;
    this.actions = actions;
    this.sending = new Map(); // the share of each photo that has gone out; 1 while the answer is made
  }

  // Show a turn, or what is new in it; the focus stays where it was.
  show(turn) {
    const before = this.log.querySelector(`[data-turn="${turn.id}"]`);
    const held = before?.contains(document.activeElement) ? placeOf(before, document.activeElement) : null;
    const now = element("article", { class: "turn", "data-turn": turn.id }, ...this.parts(turn));
    if (before) {
      const gone = addressesIn(before);
      for (const url of addressesIn(now)) gone.delete(url);
      keepPictures(before, now);
      before.replaceWith(now);
      forgetUrls(gone);
    } else {
      const after = [...this.log.children].find((each) => each.dataset.turn > turn.id);
      this.log.insertBefore(now, after ?? null);
      if (!after) now.scrollIntoView({ block: "end", behavior: "smooth" });
    }
    if (held) focusAgain(now, held);
    return now;
  }

  // Bring what was answered into sight, unless somebody reads further up.
  reveal(turn) {
    const last = this.log.lastElementChild;
    if (last?.dataset.turn === turn.id) last.scrollIntoView({ block: "end", behavior: "smooth" });
  }

  progress(turn, photo, share) {
    const isNew = !this.sending.has(photo.id);
    const wasGone = this.sending.get(photo.id) === 1;
    this.sending.set(photo.id, share);
    const circle = this.log.querySelector(`[data-photo="${photo.id}"] .ring .done`);
    if (isNew || (share === 1 && !wasGone)) this.show(turn);
    else circle?.setAttribute("stroke-dashoffset", String(100 - 100 * share));
  }

  done(photoId) {
    this.sending.delete(photoId);
  }

  remove(id) {
    const turn = this.log.querySelector(`[data-turn="${id}"]`);
    if (!turn) return;
    turn.remove();
    forgetUrls(addressesIn(turn));
  }

  parts(turn) {
    if (!turn.photos) return [this.bubble(turn, null, turn.said, turn.said.rows, "said")];
    return [this.shots(turn), this.answer(turn)];
  }

  shots(turn) {
    const isMany = turn.photos.length > 1;
    const shots = turn.photos.map((photo, number) => {
      const name = isMany ? say("numbered_photo", { number: number + 1 }) : words.your_photo;
      const picture = this.picture(photo, name);
      const isChosen = number === turn.chosen.photo;
      const choose = { type: "button", "aria-pressed": String(isChosen), "data-key": `photo-${number}` };
      choose.onclick = () => this.actions.choose(turn, number, 0);
      const shown = isMany ? element("button", choose, picture) : picture;
      return element(
        "figure",
        { class: "shot", "data-photo": photo.id },
        shown,
        ...(isMany ? [] : this.places(turn, number)),
        photo.reaction && (isMany || (photo.faces ?? []).length < 2) ? reaction(photo.reaction) : null,
        this.ring(photo),
      );
    });
    return element(
      "div",
      { class: "bubble mine" },
      element("div", { class: isMany ? "shots many" : "shots" }, ...shots),
    );
  }

  picture(photo, name) {
    const blob = photo.preview ?? photo.blob;
    if (!photo.preview && photo.blob.type.startsWith("video/") && photo.isShown) {
      const video = element("video", { src: urlOf(blob), "aria-label": name, loop: true, playsinline: true });
      video.muted = true;
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) video.autoplay = true;
      return video;
    }
    if (!photo.preview && !photo.isShown) return element("img", { alt: name, "data-blank": true });
    return element("img", { src: urlOf(blob), alt: name });
  }

  // The faces of a photo as buttons on it, where there are several.
  places(turn, number) {
    const faces = turn.photos[number].faces ?? [];
    if (faces.length < 2) return [];
    return faces.map((face, index) => {
      const place = element(
        "button",
        {
          type: "button",
          class: "place",
          "data-key": `place-${index}`,
          "aria-pressed": String(number === turn.chosen.photo && index === turn.chosen.face),
          "aria-label": say("face", { number: index + 1, feeling: face.feeling, emoji: face.emoji }),
          onclick: () => this.actions.choose(turn, number, index),
        },
        element("span", { "aria-hidden": "true" }, face.emoji),
      );
      const [left, top, width, height] = face.box.map((share) => `${100 * share}%`);
      Object.assign(place.style, { left, top, width, height });
      return place;
    });
  }

  ring(photo) {
    const share = this.sending.get(photo.id);
    if (share === undefined || share === 1) return null;
    const ring = document.createElementNS(RING, "svg");
    ring.setAttribute("class", "ring");
    ring.setAttribute("viewBox", "0 0 40 40");
    ring.setAttribute("role", "img");
    ring.setAttribute("aria-label", words.sending);
    for (const kind of ["all", "done"]) {
      const circle = document.createElementNS(RING, "circle");
      for (const [name, value] of Object.entries({ class: kind, cx: 20, cy: 20, r: 15.9 }))
        circle.setAttribute(name, value);
      if (kind === "done") circle.setAttribute("stroke-dashoffset", String(100 - 100 * share));
      ring.append(circle);
    }
    return ring;
  }

  answer(turn) {
    const { photo: number, face: index } = turn.chosen;
    const photo = turn.photos[number];
    if (photo.state !== "answered") return this.pending(turn, photo);
    const faces = photo.faces ?? [];
    const face = faces[index];
    const said = { text: face?.text ?? photo.said, note: face?.note || photo.note };
    const head = faces.length > 1 ? [element("p", {}, photo.said), this.chips(turn, number)] : [];
    const closer =
      turn.photos.length > 1 && faces.length > 1
        ? [element("figure", { class: "shot" }, this.picture(photo, words.your_photo), ...this.places(turn, number))]
        : [];
    const bubble = this.bubble(turn, photo, said, face?.rows ?? [], "face", [...closer, ...head]);
    bubble.append(...photo.rows.map((row) => keys(row, this.tapper(turn, "photo"))));
    return bubble;
  }

  chips(turn, number) {
    const chips = turn.photos[number].faces.map((face, index) => {
      const isChosen = index === turn.chosen.face;
      const name = say("face", { number: index + 1, feeling: face.feeling, emoji: face.emoji });
      const choose = {
        type: "button",
        "aria-pressed": String(isChosen),
        "aria-label": name,
        "data-key": `face-${index}`,
      };
      return element(
        "button",
        { ...choose, onclick: () => this.actions.choose(turn, number, index) },
        `${index + 1} ${face.emoji}`,
      );
    });
    return element("div", { class: "keys faces" }, ...chips);
  }

  pending(turn, photo) {
    const bubble = element("div", { class: "bubble" });
    if (photo.said) bubble.append(element("p", { class: "text" }, photo.said));
    if (photo.state === "refused") {
      if (photo.again) {
        const again = { type: "button", "data-key": "again", onclick: () => this.actions.again(turn, photo) };
        bubble.append(element("div", { class: "keys" }, element("button", again, words.again)));
      }
    } else if (this.sending.get(photo.id) === 1) {
      bubble.append(
        element("p", { class: "dots", role: "img", "aria-label": words.looking }, ...[1, 2, 3].map(() => element("i"))),
      );
    } else if (!photo.said) {
      bubble.append(element("p", { class: "text" }, words.sending));
    }
    return bubble;
  }

  bubble(turn, photo, said, rows, part, before = []) {
    return element(
      "div",
      { class: "bubble" },
      ...before,
      said.picture ? this.made(turn, said.picture) : null,
      said.text ? element("p", { class: "text" }, said.text) : null,
      said.note ? element("p", { class: "note" }, said.note) : null,
      said.file ? link(said.file) : null,
      ...rows.map((row) => keys(row, this.tapper(turn, part))),
    );
  }

  tapper(turn, part) {
    return (button, key) => this.actions.tap(turn, part, button, key);
  }

  // A picture that the bot made, and what can be done with it.
  made(turn, picture) {
    const isFilm = picture.blob.type.startsWith("video/");
    const shown = isFilm
      ? element("video", { src: urlOf(picture.blob), controls: true, loop: true, "aria-label": words.made })
      : element("img", { src: urlOf(picture.blob), alt: words.made, class: "made", onload: () => this.reveal(turn) });
    const actions = element("div", { class: "keys" });
    const add = (name, label, onclick) =>
      actions.append(element("button", { type: "button", class: "quiet", "data-key": name, onclick }, label));
    if (turn.said?.covers && turn.of)
      add("covers", words.covers, (event) => this.actions.cover(turn, event.currentTarget));
    const file = new File([picture.blob], picture.name, { type: picture.blob.type });
    if (navigator.canShare?.({ files: [file] })) {
      add("share", words.share, () => navigator.share({ files: [file] }).catch(() => {}));
    }
    if (!isFilm && window.ClipboardItem && navigator.clipboard?.write) {
      add("copy", words.copy, (event) => this.actions.copy(turn, picture.blob, event.currentTarget));
    }
    actions.append(
      element(
        "a",
        { class: "link", href: urlOf(picture.blob), download: picture.name, "data-key": "download" },
        words.download,
      ),
    );
    return element("figure", { class: "made" }, shown, actions);
  }
}

function reaction(emoji) {
  return element("span", { class: "reaction", role: "img", "aria-label": say("reaction", { emoji }) }, emoji);
}

export function link(file) {
  return element("a", { class: "link file", href: urlOf(file.blob), download: file.name }, file.name);
}

// Pictures that are on the page already stay the same elements: they do not flicker, and films go on.
function keepPictures(before, now) {
  const old = new Map([...before.querySelectorAll("img[src], video[src]")].map((each) => [each.src, each]));
  for (const fresh of now.querySelectorAll("img[src], video[src]")) {
    const known = old.get(fresh.src);
    if (!known || known.tagName !== fresh.tagName || known.alt !== fresh.alt) continue;
    old.delete(fresh.src);
    fresh.replaceWith(known);
  }
}

// The addresses of blobs that a turn shows or hands out.
function addressesIn(turn) {
  const all = [...turn.querySelectorAll("img[src], video[src], a[href]")].map((each) => each.src ?? each.href);
  return new Set(all.filter((url) => url.startsWith("blob:")));
}

function placeOf(turn, focused) {
  const all = [...turn.querySelectorAll("button, a")];
  return { key: focused.dataset.key, index: all.indexOf(focused), label: focused.textContent };
}

function focusAgain(turn, { key, index, label }) {
  const all = [...turn.querySelectorAll("button, a")];
  const same = all.find((each) => each.dataset.key === key) ?? all.find((each) => each.textContent === label);
  const next = same ?? all[Math.min(index, all.length - 1)];
  if (next) next.focus({ preventScroll: true });
}
