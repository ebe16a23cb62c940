// Runs before the first paint, so that a dark page never flashes white; src/app/theme.ts takes over from here.
document.documentElement.dataset.theme = (() => {
  if (matchMedia("(forced-colors: active)").matches)
    return matchMedia("(prefers-color-scheme: dark)").matches ? "contrast" : "light";
  let chosen = null;
  try {
    chosen = localStorage.getItem("grandstand.theme");
  } catch {
    // storage is forbidden here: as the system has it
  }
  if (["light", "dark", "contrast"].includes(chosen)) return chosen;
  if (matchMedia("(prefers-contrast: more)").matches) return "contrast";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
})();
