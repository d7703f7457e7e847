/** What a session was begun with, in words. Only for people to recognize it by: nothing is decided by it. */

/** In this order: most browsers also name those that they descend from. */
const programs: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bYaBrowser\//, "Yandex Browser"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Headless)?(?:Chrome|Chromium|CriOS)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];
const systems: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/, "Android"],
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMacintosh\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];
const textMax = 60;

/** Undefined where nothing was told. */
export function browserName(userAgent: string | null): string | undefined {
  if (userAgent === null || userAgent === "") return undefined;
  const named = (list: typeof programs) => list.find(([form]) => form.test(userAgent))?.[1];
  const program = named(programs);
  if (program === undefined) return userAgent.slice(0, textMax);
  const system = named(systems);
  return system === undefined ? program : `${program}, ${system}`;
}
