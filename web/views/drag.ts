/** Cards dragged by mouse, pen or finger. A finger holds still first, so that it can scroll. */

export type Drop = { readonly columnId: string; readonly beforeId: string | undefined };
type Options = { readonly onDrop: (taskId: string, drop: Drop) => void; readonly canDrag: () => boolean };

const startPx = 5;
const holdMs = 280;
const edgePx = 56;
const scrollPx = 14;

type Dragging = {
  readonly card: HTMLElement;
  readonly ghost: HTMLElement;
  readonly line: HTMLElement;
  readonly dx: number;
  readonly dy: number;
  readonly height: number;
  drop: Drop | undefined;
};

/** By their places and not by what is under the pointer: to ask that of thousands of cards takes longer than a frame. */
function columnAt(board: HTMLElement, x: number): Element | undefined {
  return [...board.querySelectorAll(".column")].find((each) => {
    const { left, right } = each.getBoundingClientRect();
    return x >= left && x <= right;
  });
}

/** The first card of a list whose middle is below this height. They stand in their order: few of them are measured, however many there are. */
function firstBelow(list: HTMLElement, y: number): HTMLElement | undefined {
  const cards = list.querySelectorAll<HTMLElement>(".card:not(.lifted)");
  let [low, high] = [0, cards.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const box = cards[middle]?.getBoundingClientRect();
    if (box !== undefined && y < box.top + box.height / 2) high = middle;
    else low = middle + 1;
  }
  return cards[low];
}

/** Listens on the board; answers what ends that. */
export function draggable(board: HTMLElement, { onDrop, canDrag }: Options): () => void {
  let pressed:
    | { card: HTMLElement; x: number; y: number; pointer: number; timer?: ReturnType<typeof setTimeout> }
    | undefined;
  let dragging: Dragging | undefined;
  let last = { x: 0, y: 0 };
  let frame = 0;

  function begin(): void {
    if (pressed === undefined) return;
    const { card, x, y } = pressed;
    // To take a focused element out of the page makes the browser lay it out at once, in the middle of the change that moves the card.
    if (card.contains(document.activeElement)) (document.activeElement as HTMLElement).blur();
    const box = card.getBoundingClientRect();
    const ghost = card.cloneNode(true) as HTMLElement;
    ghost.classList.add("ghost");
    ghost.setAttribute("aria-hidden", "true");
    ghost.style.width = `${box.width}px`;
    ghost.style.height = `${box.height}px`;
    const line = document.createElement("div");
    line.className = "drop-line";
    line.setAttribute("aria-hidden", "true");
    line.style.height = `${box.height}px`;
    document.body.append(ghost);
    card.classList.add("lifted");
    board.classList.add("dragging");
    dragging = { card, ghost, line, dx: x - box.left, dy: y - box.top, height: box.height, drop: undefined };
    moveTo(last.x, last.y);
    frame = requestAnimationFrame(scroll);
  }

  function moveTo(x: number, y: number): void {
    if (dragging === undefined) return;
    const { ghost, line, dx, dy } = dragging;
    ghost.style.transform = `translate(${x - dx}px, ${y - dy}px) rotate(1.5deg)`;
    const list = columnAt(board, x)?.querySelector<HTMLElement>(".cards");
    if (list == null) return;
    const before = firstBelow(list, y - dy + dragging.height / 2);
    const into = before?.parentElement ?? [...list.querySelectorAll(".chunk")].at(-1) ?? list;
    if (line.parentElement !== into || line.nextElementSibling !== (before ?? null))
      into.insertBefore(line, before ?? null);
    dragging.drop = { columnId: list.dataset.column ?? "", beforeId: before?.dataset.id };
  }

  function scroll(): void {
    if (dragging === undefined) return;
    const list = dragging.line.closest<HTMLElement>(".cards");
    const before = board.scrollLeft + (list?.scrollTop ?? 0);
    const box = board.getBoundingClientRect();
    if (last.x > box.right - edgePx) board.scrollLeft += scrollPx;
    else if (last.x < box.left + edgePx) board.scrollLeft -= scrollPx;
    if (list !== null) {
      const inner = list.getBoundingClientRect();
      if (last.y > inner.bottom - edgePx) list.scrollTop += scrollPx;
      else if (last.y < inner.top + edgePx) list.scrollTop -= scrollPx;
    }
    if (board.scrollLeft + (list?.scrollTop ?? 0) !== before) moveTo(last.x, last.y);
    frame = requestAnimationFrame(scroll);
  }

  function end(isDropped: boolean): void {
    clearTimeout(pressed?.timer);
    pressed = undefined;
    if (dragging === undefined) return;
    cancelAnimationFrame(frame);
    const { card, ghost, line, drop } = dragging;
    dragging = undefined;
    ghost.remove();
    line.remove();
    card.classList.remove("lifted");
    board.classList.remove("dragging");
    // The click that ends a drag opens nothing.
    addEventListener("click", stop, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", stop, { capture: true }), 0);
    if (isDropped && drop !== undefined && card.dataset.id !== undefined) onDrop(card.dataset.id, drop);
  }

  const stop = (event: Event) => {
    event.stopPropagation();
    event.preventDefault();
  };
  const onDown = (event: PointerEvent) => {
    const card = (event.target as Element).closest<HTMLElement>(".card");
    if (
      card === null ||
      event.button !== 0 ||
      !canDrag() ||
      (event.target as Element).closest(".tick, .card-more") !== null
    )
      return;
    last = { x: event.clientX, y: event.clientY };
    pressed = { card, x: event.clientX, y: event.clientY, pointer: event.pointerId };
    if (event.pointerType === "touch") pressed.timer = setTimeout(begin, holdMs);
  };
  const onMove = (event: PointerEvent) => {
    if (pressed === undefined || event.pointerId !== pressed.pointer) return;
    last = { x: event.clientX, y: event.clientY };
    if (dragging !== undefined) moveTo(last.x, last.y);
    else if (Math.hypot(last.x - pressed.x, last.y - pressed.y) > startPx) {
      // A finger that moves at once scrolls.
      if (event.pointerType === "touch") end(false);
      else begin();
    }
  };
  const onUp = () => end(true);
  const onCancel = () => end(false);
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape" && dragging !== undefined) {
      event.stopPropagation();
      end(false);
    }
  };
  const onTouch = (event: TouchEvent) => {
    if (dragging !== undefined) event.preventDefault();
  };
  board.addEventListener("pointerdown", onDown);
  board.addEventListener("touchmove", onTouch, { passive: false });
  addEventListener("pointermove", onMove);
  addEventListener("pointerup", onUp);
  addEventListener("pointercancel", onCancel);
  addEventListener("keydown", onKey, { capture: true });
  return () => {
    end(false);
    board.removeEventListener("pointerdown", onDown);
    board.removeEventListener("touchmove", onTouch);
    removeEventListener("pointermove", onMove);
    removeEventListener("pointerup", onUp);
    removeEventListener("pointercancel", onCancel);
    removeEventListener("keydown", onKey, { capture: true });
  };
}
