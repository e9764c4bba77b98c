// The console's own script: the theme of this browser, the keys of the review queue, and uploads in pieces.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const applyTheme = () => {
    const chosen = localStorage.getItem("mugmoji-theme");
    const dark = chosen ? chosen === "dark" : system.matches;
    root.dataset.theme = dark ? "dark" : "light";
    if (window.Quasar) Quasar.Dark.set(dark);
  };
  applyTheme();
  system.addEventListener("change", applyTheme);
  addEventListener("load", () => setTimeout(applyTheme));  // by then Quasar is there

  const SAME_KEYS = { x: "0", ArrowRight: "s", ArrowLeft: "z" };
  const KEYS = /^[0-7usz]$/;
  const answer = (key) => {
    const face = document.querySelector("[data-reading]");
    emitEvent("review", { key, reading: face ? face.dataset.reading : null });
  };
  addEventListener("click", (event) => {
    const button = event.target.closest("[data-key], .theme");
    if (!button) return;
    if (button.dataset.key) return answer(button.dataset.key);
    localStorage.setItem("mugmoji-theme", root.dataset.theme === "dark" ? "light" : "dark");
    applyTheme();
  });
  addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!document.querySelector(".review") || event.target.closest("input, textarea, select")) return;
    const key = SAME_KEYS[event.key] || event.key.toLowerCase();
    if (!KEYS.test(key)) return;
    event.preventDefault();
    const button = document.querySelector(`[data-key="${key}"]`);
    button.classList.add("pressed");
    setTimeout(() => button.classList.remove("pressed"), 150);
    answer(key);
  });

  const upload = async (field) => {
    const file = field.files[0];
    if (!file) return;
    const place = field.closest(".upload"), bar = place.querySelector("progress"), told = place.querySelector(".upload-told");
    const tell = (sentence) => {
      told.textContent = sentence;
      told.classList.toggle("told", Boolean(sentence));
      told.classList.toggle("bad", Boolean(sentence));
    };
    const most = Number(field.dataset.piece);
    tell("");
    field.disabled = true;
    bar.hidden = false;
    bar.value = 0;
    try {
      for (let offset = 0; offset === 0 || offset < file.size; offset += most) {
        const asked = new URLSearchParams({ file: file.name, offset, size: file.size });
        const body = file.slice(offset, offset + most);
        const taken = await fetch(`${field.dataset.upload}?${asked}`, { method: "POST", body });
        if (!taken.ok) throw new Error(await taken.text());
        bar.value = Math.min(1, (offset + most) / file.size);
      }
      emitEvent("uploaded", { file: file.name });
    } catch (error) {
      tell(error instanceof TypeError ? "The upload was interrupted; please choose the file again." : error.message);
    } finally {
      bar.hidden = true;
      field.disabled = false;
      field.value = "";
    }
  };
  addEventListener("change", (event) => {
    if (event.target.matches("[data-upload]")) upload(event.target);
  });
})();
