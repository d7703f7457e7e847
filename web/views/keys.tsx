/** All keys, as a list. */
import type { JSX } from "preact";
import { type Key, t } from "../text/language.ts";
import { Dialog } from "./parts.tsx";

const keys: readonly (readonly [readonly string[], Key])[] = [
  [["Ctrl K"], "keyPalette"],
  [["C"], "keyCreate"],
  [["E"], "keyEdit"],
  [["X"], "keyDone"],
  [["M"], "keyMove"],
  [["Shift", "← ↑ ↓ →"], "keyMoveCard"],
  [["H", "J", "K", "L"], "keyNavigate"],
  [["/"], "keySearch"],
  [["Ctrl Z"], "keyUndo"],
  [["?"], "keyHelp"],
  [["Esc"], "keyClose"],
];

export function Keys({ onClose }: { onClose: () => void }): JSX.Element {
  return (
    <Dialog title={t("keys")} onClose={onClose} kind="compact">
      <dl class="keys">
        {keys.map(([names, about]) => (
          <div key={about}>
            <dt>{t(about)}</dt>
            <dd>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
