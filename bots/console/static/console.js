// The console's own script: the theme of this browser, and the keys of the review queue.
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
})();
