/** The start of a path: not inside another one, but after an option (`-I/home/me/x`) or an escaped line break. */
const START = String.raw`(?<![A-Za-z0-9_.-])|(?<=(?<![A-Za-z0-9_-])-[A-Za-z])|(?<=\\[nrt])`

/** Replaces the path of the home folder, which contains the user name, by `~`. */
export function homeShortener(home: string): (text: string) => string {
  if (home.length < 4) return (text) => text
  const forms = [...new Set([home, JSON.stringify(home).slice(1, -1)])]
  const patterns = forms.map(
    (form) => new RegExp(`(?:${START})${RegExp.escape(form)}(?![A-Za-z0-9_-]|\\.[A-Za-z0-9])`, "g"),
  )
  return (text) =>
    forms.some((form) => text.includes(form))
      ? patterns.reduce((shortened, pattern) => shortened.replace(pattern, "~"), text)
      : text
}
