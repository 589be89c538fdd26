// Keeps the page as new as the workspace: the whole state after every connection, then one event at a time.

let source = null;

/**
 * Follow the workspace as one person sees it.
 * Events that arrive while the state is fetched wait for it; applying one twice changes nothing.
 */
export function follow(viewer, { onState, onEvent, onLive }) {
  source?.close();
  const mine = new EventSource(`/do/events?user=${encodeURIComponent(viewer)}`);
  source = mine;
  let waiting = [];
  const load = async () => {
    waiting ??= [];
    const response = await fetch(`/do/state?user=${encodeURIComponent(viewer)}`);
    if (source !== mine) return;
    onState(await response.json());
    const late = waiting ?? [];
    waiting = null;
    late.forEach(onEvent);
  };
  mine.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    if (event.type === "hello") load().then(() => onLive(true), () => onLive(false));
    else if (event.type === "workspace" || event.type === "reload") load();
    else if (waiting) waiting.push(event);
    else onEvent(event);
  };
  mine.onerror = () => onLive(false);
}
