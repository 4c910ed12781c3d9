import type { Page } from "playwright-core";

/**
 * Opens people in one page, each with a small picture of their own and without a word, who take every group call that
 * rings. They see nothing: what a room sends to many is not what a page with many tiles is tested for.
 */
export async function openCrowd(page: Page, url: string, names: readonly string[]): Promise<void> {
  await page.goto(url);
  await page.evaluate(bringCrowd, names);
}

/** Runs in the page. */
async function bringCrowd(names: readonly string[]): Promise<void> {
  const pictures = names.map((name, i) => {
    const canvas = document.createElement("canvas");
    canvas.width = 320;
    canvas.height = 180;
    return { name, canvas, hue: (i * 47) % 360 };
  });
  let pictured = 0;
  const draw = () => {
    pictured += 1;
    for (const { name, canvas, hue } of pictures) {
      const context = canvas.getContext("2d");
      if (!context) continue;
      context.fillStyle = `hsl(${hue} 45% 38%)`;
      context.fillRect(0, 0, 320, 180);
      context.fillStyle = "white";
      context.font = "48px sans-serif";
      context.fillText(name, 24, 80);
      context.fillRect((pictured * 8) % 320, 130, 40, 12);
    }
  };
  setInterval(draw, 143);
  draw();
  await Promise.all(pictures.map(({ name, canvas }) => bring(name, canvas.captureStream(7))));

  async function bring(name: string, media: MediaStream): Promise<void> {
    const headers = { "content-type": "application/json" };
    const answer = await fetch("/api/dev/token", { method: "POST", headers, body: JSON.stringify({ name }) });
    const { token } = await answer.json();
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws`, ["switchboard.v1", `bearer.${token}`]);
    const connection = new RTCPeerConnection();
    const send = (message: object) => socket.send(JSON.stringify(message));
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    send({ type: "register", deviceId: crypto.randomUUID(), deviceType: "Web" });
    setInterval(() => socket.send("ping"), 20_000);
    let before = Promise.resolve();
    socket.onmessage = ({ data }) => {
      if (data !== "pong") before = before.then(() => hear(JSON.parse(data)));
    };

    async function describe(): Promise<string> {
      await connection.setLocalDescription();
      return connection.localDescription?.sdp ?? "";
    }

    async function hear({ type, callId, sdp = "", epoch, negotiationId }: Record<string, string>): Promise<void> {
      switch (type) {
        case "incoming_call":
          return send({ type: "call_answer", callId });
        case "call_connected":
          for (const track of media.getTracks()) connection.addTransceiver(track, { direction: "sendonly" });
          send({ type: "room_join", callId, sdp: await describe() });
          return send({ type: "room_update", callId, wants: [] });
        case "room_joined":
          return connection.setRemoteDescription({ type: "answer", sdp });
        case "renegotiate":
          await connection.setRemoteDescription({ type: "offer", sdp });
          return send({ type: "renegotiate_answer", callId, epoch, negotiationId, sdp: await describe() });
      }
    }
  }
}
