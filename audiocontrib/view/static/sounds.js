"use strict";
// What was played for an item under each condition: heard, as a waveform and as a spectrogram.
const itemSounds = (() => {
  const { make } = itemView;
  const WORDS = {
    same: "These are the samples that were sent: their hash is that of the answer.",
    other: "These are not the samples that were sent: the clip or its decoder has changed since.",
    copy: "A copy of the clip, in Ogg Opus, of at most 30 s.",
    unknown: "Made as it is made for a model; the run does not say which samples were sent.",
  };
  let waves = null;
  const drawWaves = (box, audio, blob) => {
    waves?.destroy();
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    waves = WaveSurfer.create({
      container: box, media: audio, height: 72, sampleRate: 16000, cspNonce: document.getElementById("style").nonce,
      waveColor: colour("--soft"), progressColor: colour("--accent"),
      plugins: [WaveSurfer.Spectrogram.create({ height: 140, labels: true, scale: "mel", fftSamples: 512, frequencyMax: 8000 })],
    });
    return waves.loadBlob(blob);
  };
  // the part of an opened item that plays; run and item are names
  return (run, item) => {
    const box = make("section", null, "sounds"), choices = make("div", null, "choices"), note = make("p", null, "soft");
    const audio = make("audio"), wave = make("div", null, "wave");
    box.setAttribute("aria-label", "What was played"); note.setAttribute("role", "status");
    audio.controls = true; audio.setAttribute("aria-label", "Player"); audio.hidden = true; wave.hidden = true;
    const play = async (sound, button) => {
      for (const one of choices.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one === button));
      note.textContent = "Loading…";
      try {
        const { blob, heard } = await server.sound(run, item.id, sound.condition, sound.models[0]);
        audio.hidden = wave.hidden = false;
        await drawWaves(wave, audio, blob);
        audio.setAttribute("aria-label", "Player: " + sound.condition);
        note.textContent = (sound.partner ? "The clip of " + sound.partner + ". " : "") + (WORDS[heard] ?? "");
      } catch (error) { note.textContent = error.message; }
    };
    for (const sound of item.sounds) {
      const button = make("button", sound.condition + (sound.silent ? ": " + sound.silent : ""));
      button.type = "button"; button.disabled = Boolean(sound.silent); button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => play(sound, button));
      choices.append(button);
    }
    box.append(make("h3", "What was played"), choices, note, wave, audio);
    return item.sounds.length ? [box] : [];
  };
})();
