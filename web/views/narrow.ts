/** Whether the screen is as narrow as a phone's, or as that of somebody who reads at four times the size. The style sheet has the same bound. */
import { signal } from "@preact/signals";

const narrow = matchMedia("(max-width: 760px)");
export const isNarrow = signal(narrow.matches);
narrow.addEventListener("change", () => {
  isNarrow.value = narrow.matches;
});
