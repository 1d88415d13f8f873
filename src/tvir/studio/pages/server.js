// Speaking with the server: JSON, files, and frames over a WebSocket.

export class Refused extends Error {
  constructor(code, detail) {
    super(detail);
    this.code = code;
  }
}

async function asked(method, path, body, type) {
  let answer;
  try {
    answer = await fetch(`/api${path}`, { method, body, headers: body === undefined ? {} : { "Content-Type": type } });
  } catch {
    throw new Refused("gone", "the studio does not answer");
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Refused(said.code ?? "failed", said.detail ?? answer.statusText);
}

export async function ask(method, path, form) {
  const answer = await asked(method, path, form === undefined ? undefined : JSON.stringify(form), "application/json");
  return answer.status === 204 ? null : answer.json();
}

export const get = (path) => ask("GET", path);
export const post = (path, form) => ask("POST", path, form);

export async function upload(path, blob) {
  const type = /^image\//.test(blob.type) ? blob.type : "image/unknown";
  return (await asked("POST", path, blob, type)).json();
}

// Hears an answer line by line, while it is still being made: each line is JSON.
export async function streamed(path, form, hear, signal) {
  const answer = await fetch(`/api${path}`, { method: "POST", body: JSON.stringify(form), headers: { "Content-Type": "application/json" }, signal });
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw new Refused(said.code ?? "failed", said.detail ?? answer.statusText);
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const lines = (rest + piece.value).split("\n");
    rest = lines.pop();
    for (const line of lines) hear(JSON.parse(line));
  }
}

// Saves what the server makes of a form as a file.
export async function download(path, form, name) {
  const answer = await asked("POST", path, JSON.stringify(form), "application/json");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const HEADER = 12;

function header(buffer) {
  const view = new DataView(buffer);
  return { number: view.getUint32(0, true), width: view.getUint16(4, true), height: view.getUint16(6, true),
    channels: view.getUint8(8), form: view.getUint8(9) };
}

function pixels(bytes, width, height, channels) {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let from = 0, to = 0; to < data.length; from += channels, to += 4) {
    data[to] = bytes[from];
    data[to + 1] = bytes[channels > 2 ? from + 1 : from];
    data[to + 2] = bytes[channels > 2 ? from + 2 : from];
    data[to + 3] = channels === 4 ? bytes[from + 3] : 255;
  }
  return new ImageData(data, width, height);
}

function sized(canvas, width, height) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  canvas.classList.toggle("pixels", Math.max(width, height) < 128);
}

// Paints the pictures of points into canvases, in one request.
export async function paintAll(run, points, canvases) {
  const answer = await asked("POST", `/runs/${run}/pictures`, JSON.stringify({ points }), "application/json");
  const buffer = await answer.arrayBuffer();
  const { number, width, height, channels } = header(buffer);
  const size = width * height * channels;
  for (let index = 0; index < number; index += 1) {
    const bytes = new Uint8Array(buffer, HEADER + index * size, size);
    sized(canvases[index], width, height);
    canvases[index].getContext("2d").putImageData(pixels(bytes, width, height, channels), 0, 0);
  }
}

// The picture that follows a hand. At most one question is out; of those that come meanwhile, the newest is asked next.
export class Live {
  constructor(run, canvas, { failed = () => {}, painted = () => {} } = {}) {
    this.canvas = canvas;
    this.failed = failed;
    this.painted = painted;
    this.number = 0;
    this.waiting = null;
    this.out = false;
    this.closed = false;
    this.open(run);
  }

  open(run) {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/runs/${run}/live`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { this.out = false; this.next(); };
    socket.onmessage = (event) => this.came(event.data);
    socket.onclose = (event) => {
      if (event.code === 1008) return;   // refused: asking again would not help
      if (!this.closed) setTimeout(() => { if (!this.closed) this.open(run); }, 1000);
    };
    this.socket = socket;
    this.out = true;
  }

  show(point) {
    this.waiting = { point, at: performance.now() };
    if (!this.out) this.next();
  }

  next() {
    if (!this.waiting || this.socket.readyState !== WebSocket.OPEN) return;
    const { point, at } = this.waiting;
    this.waiting = null;
    this.out = true;
    this.at = at;
    this.number += 1;
    this.socket.send(JSON.stringify({ number: this.number, point }));
  }

  async came(data) {
    if (typeof data === "string") {
      const said = JSON.parse(data);
      this.failed(new Refused(said.code, said.detail));
    } else {
      await this.paint(data);
      this.painted(performance.now() - this.at);
    }
    this.out = false;
    this.next();
  }

  async paint(buffer) {
    const { width, height, channels, form } = header(buffer);
    const context = this.canvas.getContext("2d");
    if (form === 0) {
      sized(this.canvas, width, height);
      context.putImageData(pixels(new Uint8Array(buffer, HEADER), width, height, channels), 0, 0);
      return;
    }
    const bitmap = await createImageBitmap(new Blob([new Uint8Array(buffer, HEADER)]));
    sized(this.canvas, width, height);
    context.clearRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0);
  }

  close() {
    this.closed = true;
    this.socket.close();
  }
}

// Little-endian float32 in base64.
export function floats(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}
