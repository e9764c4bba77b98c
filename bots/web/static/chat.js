// Every way a picture comes in (picker, drop, paste, camera) ends in mugmoji.send, which hands it to the uploader and
// keeps its preview in this browser; the server never keeps the photo, and asks for it again where it needs it.
window.mugmoji = {
  previews: {},
  photos: {},
  pieces: {},
  count: 0,

  send(files) {
    const pictures = Array.from(files).map((file) => {
      const name = `${Date.now()}-${this.count++}`; // its own name might come back from the server spelled otherwise
      const renamed = new File([file], name, { type: file.type });
      this.previews[name] = URL.createObjectURL(file);
      this.photos[name] = file;
      return renamed;
    });
    if (pictures.length) this.uploader().addFiles(pictures);
  },

  uploader() {
    return getElement(document.querySelector(".bot-only").id.slice(1));
  },

  show(imageId, name) {
    const image = document.getElementById(imageId);
    if (!image || !this.previews[name]) return;
    if (this.photos[name].type.startsWith("video/")) {
      const video = Object.assign(document.createElement("video"), { muted: true, loop: true, autoplay: true });
      video.playsInline = true;
      video.setAttribute("aria-label", image.alt);
      video.src = this.previews[name];
      image.replaceWith(video);
    } else {
      image.src = this.previews[name];
    }
    window.scrollTo({ top: document.body.scrollHeight, behavior: "smooth" });
  },

  // A picture that the server made: it is here from now on, and nowhere else.
  keep(linkId, imageId, type, base64) {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const url = URL.createObjectURL(new Blob([bytes], { type }));
    document.getElementById(linkId).href = url;
    document.getElementById(imageId).src = url;
    window.scrollTo({ top: document.body.scrollHeight, behavior: "smooth" });
  },

  // A file that the server made, in pieces that fit into its messages.
  keepFile(linkId, piece) {
    const pieces = (this.pieces[linkId] ??= []);
    pieces.push(Uint8Array.from(atob(piece), (character) => character.charCodeAt(0)));
    const link = document.getElementById(linkId);
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob(pieces, { type: "application/json" }));
  },

  // The photo once more, as it was sent: pictures of it are made when they are asked for, not before.
  async again(name, ticket) {
    if (!this.photos[name]) return false;
    try {
      return (await fetch(`/again/${ticket}`, { method: "POST", body: this.photos[name] })).ok;
    } catch {
      return false;
    }
  },

  pick() {
    // Kept here, because an input that nothing refers to may be collected while its dialog is open.
    this.picker = Object.assign(document.createElement("input"), {
      type: "file",
      accept: "image/*,video/*,.heic,.heif,.avif,.jxl",
      multiple: true,
      onchange: () => this.send(this.picker.files),
    });
    this.picker.click();
  },

  async openCamera() {
    const video = document.querySelector(".viewfinder");
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
      await video.play();
      return true;
    } catch {
      return false;
    }
  },

  closeCamera() {
    const video = document.querySelector(".viewfinder");
    if (video?.srcObject) video.srcObject.getTracks().forEach((track) => track.stop());
  },

  snap() {
    const video = document.querySelector(".viewfinder");
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => this.send([new File([blob], "camera.jpg", { type: "image/jpeg" })]), "image/jpeg", 0.92);
    this.closeCamera();
  },
};

document.addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length) window.mugmoji.send(event.clipboardData.files);
});
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  window.mugmoji.send(event.dataTransfer.files);
});
