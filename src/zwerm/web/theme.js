/**
 * Sets the chosen theme before the first paint, so that no page flashes white at night. A classic script for that
 * reason.
 */
(() => {
  try {
    const theme = localStorage.getItem("zwerm.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    document.documentElement.lang =
      localStorage.getItem("zwerm.language") || (/^nl\b/i.test(navigator.language) ? "nl" : "en");
  } catch {
    document.documentElement.lang = "en"; // storage is refused: the system's theme holds
  }
})();
