// Bringing a picture in, from wherever it is dropped: an exported one opens as the work it is, any other is begun from.
import { tell, trying } from "../dom.js";
import { memory } from "../memory.js";
import { upload } from "../server.js";
import { say } from "../words.js";

// The work of one's own that was brought, or null where a live work was opened instead.
export async function bring(blob, run) {
  const work = await upload(`/runs/${run.id}/mine`, blob);
  await memory.readWorks();
  memory.changed("done");
  if (work.alive) {
    tell(say("mine.opened"));
    await memory.goTo(work);
    return null;
  }
  if (work.settings.model) tell(say("mine.stranger", { model: work.settings.model }));
  memory.mine = { work, point: null };
  return work;
}

export function acceptDrops() {
  document.addEventListener("dragover", (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
  document.addEventListener("drop", trying(async (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    const page = document.querySelector("tvir-mine");
    if (page) { await page.take(file); return; }
    if (memory.run && await bring(file, memory.run)) location.hash = "#/mine";
  }));
}
