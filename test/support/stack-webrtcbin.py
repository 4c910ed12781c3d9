"""GStreamer's webrtcbin with a camera and a microphone: commands in, descriptions and counts out, JSON line by line."""

import json
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

PIPELINE = """
webrtcbin name=peer bundle-policy=max-bundle latency=50
audiotestsrc is-live=true wave=silence ! audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay pt=111
  ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! peer.
videotestsrc is-live=true pattern=ball ! video/x-raw,width=160,height=120,framerate=10/1
  ! vp8enc deadline=1 keyframe-max-dist=10 ! rtpvp8pay pt=96
  ! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! peer.
"""

Gst.init(None)
pipeline = Gst.parse_launch(PIPELINE)
peer = pipeline.get_by_name("peer")
counts = {}


def say(**message):
    print(json.dumps(message), flush=True)


def count(mid, what):
    counts.setdefault(mid, {"packets": 0, "frames": 0})[what] += 1


def on_pad(_peer, pad):
    if pad.direction != Gst.PadDirection.SRC:
        return
    mid = pad.get_property("transceiver").get_property("mid")

    def on_packet(_pad, info):
        # A jitter buffer gives packets one by one or in lists.
        size = 1 if info.get_buffer() else info.get_buffer_list().length()
        for _ in range(size):
            count(mid, "packets")
        return Gst.PadProbeReturn.OK

    pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST, on_packet)
    isVideo = "video" in pad.get_current_caps().to_string()
    chain = "rtpvp8depay ! vp8dec ! fakesink name=out" if isVideo else "rtpopusdepay ! opusdec ! fakesink name=out"
    decoder = Gst.parse_bin_from_description(f"queue ! {chain}", True)
    out = decoder.get_by_name("out")
    out.set_property("signal-handoffs", True)
    out.set_property("async", False)
    out.connect("handoff", lambda *_: count(mid, "frames"))
    pipeline.add(decoder)
    decoder.sync_state_with_parent()
    pad.link(decoder.get_static_pad("sink"))


peer.connect("pad-added", on_pad)


def promised(action, *arguments):
    done = threading.Event()
    promise = Gst.Promise.new_with_change_func(lambda *_: done.set())
    peer.emit(action, *arguments, promise)
    done.wait(10)
    reply = promise.get_reply()
    if reply and reply.has_field("error"):
        raise RuntimeError(str(reply.get_value("error")))
    return reply


def described(kind):
    reply = promised(f"create-{kind}", None)
    description = reply.get_value(kind)
    promised("set-local-description", description)
    return description.sdp.as_text()


def wait_for_media():
    """Before its encoders have said what they make, it offers m-lines without codecs, or none."""
    while not all(pad.get_current_caps() for pad in peer.sinkpads):
        time.sleep(0.02)


def take(kind, text):
    _, sdp = GstSdp.SDPMessage.new_from_text(text)
    types = {"offer": GstWebRTC.WebRTCSDPType.OFFER, "answer": GstWebRTC.WebRTCSDPType.ANSWER}
    promised("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(types[kind], sdp))


def act(message):
    if message["do"] == "offer":
        wait_for_media()
        return {"sdp": described("offer")}
    if message["do"] == "take_answer":
        return take("answer", message["sdp"]) or {}
    if message["do"] == "answer":
        take("offer", message["sdp"])
        return {"sdp": described("answer")}
    return {"received": counts}


def listen():
    for line in sys.stdin:
        message = json.loads(line)
        try:
            say(id=message["id"], **act(message))
        except Exception as error:  # noqa: BLE001: whatever it is, the test is told
            say(id=message["id"], error=str(error))
    loop.quit()


loop = GLib.MainLoop()
bus = pipeline.get_bus()
bus.add_signal_watch()
bus.connect("message::error", lambda _bus, message: say(error=str(message.parse_error())))
pipeline.set_state(Gst.State.PLAYING)
threading.Thread(target=listen, daemon=True).start()
loop.run()
pipeline.set_state(Gst.State.NULL)
