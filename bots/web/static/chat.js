// Every way a picture comes in (picker, drop, paste, camera) ends in mugmoji.send, which hands it to the uploader and
// keeps its preview in this browser; the server never keeps the photo, and asks for it again where it needs it.
window.mugmoji = {
  previews: {},
  count: 0,

  send(files) {
    const pictures = Array.from(files).map((file) => {
      const name = `${Date.now()}-${this.count++}`; // its own name might come back from the server spelled otherwise
      const renamed = new File([file], name, { type: file.type });
      this.previews[name] = URL.createObjectURL(file);
      return renamed;
    });
    if (pictures.length) this.uploader().addFiles(pictures);
  },

  uploader() {
    return getElement(document.querySelector(".bot-only").id.slice(1)).$refs.qRef;
  },

  show(imageId, name) {
    const image = document.getElementById(imageId);
    if (image && this.previews[name]) image.src = this.previews[name];
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

  // The photo once more, as large as it is read: pictures of it are made when they are asked for, not before.
  async again(name) {
    const image = new Image();
    image.src = this.previews[name] ?? "";
    try {
      await image.decode();
    } catch {
      return null;
    }
    const canvas = document.createElement("canvas");
    for (let side = 1280; ; side *= 0.8) {
      const scale = Math.min(1, side / Math.max(image.naturalWidth, image.naturalHeight));
      canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
      canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      const link = canvas.toDataURL("image/jpeg", 0.9);
      if (link.length < 800_000) return link; // the server hangs up on messages of a million bytes
    }
  },

  pick() {
    // Kept here, because an input that nothing refers to may be collected while its dialog is open.
    this.picker = Object.assign(document.createElement("input"), {
      type: "file",
      accept: "image/*,.heic,.heif,.avif,.jxl",
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
