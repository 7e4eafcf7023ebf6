"""The words and the looks of the page `/trust`, which comes before the web app can."""

from __future__ import annotations

from typing import Final

Words = dict[str, str]

_EN: Final[Words] = {
    "language": "en",
    "title": "Trust the zwerm in your house",
    "why": "Camera, microphone and notifications work only over a connection that your telephone trusts. These three "
    "steps make it trust <b>{machine}</b>, and nothing outside your house.",
    "ios": "iPhone and iPad",
    "ios1": '<a href="{link}">Download the profile</a>, and allow it.',
    "ios2": "Open <b>Settings</b>, tap <b>Profile Downloaded</b>, then <b>Install</b>. Compare the number below first.",
    "ios3": "Open <b>Settings, General, About, Certificate Trust Settings</b>, and switch zwerm on.",
    "android": "Android",
    "android1": '<a href="{link}">Download the certificate</a>.',
    "android2": "Open <b>Settings</b>, search for <b>CA certificate</b>, and tap <b>Install anyway</b>.",
    "android3": "Choose the file <b>zwerm.crt</b>. Compare the number below under <b>Trusted credentials, User</b>.",
    "other": "Another computer",
    "other1": '<a href="{link}">Download the certificate</a>.',
    "other2": "Open it, and compare the number below with the SHA-256 fingerprint that is shown.",
    "other3": "Add it to the authorities that your system, or Firefox under <b>Certificates</b>, trusts for web sites.",
    "compare": "Compare",
    "compareText": "The terminal in which zwerm runs shows the same number. If it is another one, stop: somebody is in "
    "between.",
    "go": "Go on",
    "goText": "If a warning comes now, the third step is not done yet. Some browsers have to be closed once.",
}

_NL: Final[Words] = {
    "language": "nl",
    "title": "Vertrouw de zwerm in je huis",
    "why": "Camera, microfoon en meldingen werken alleen over een verbinding die je telefoon vertrouwt. Met deze drie "
    "stappen vertrouwt hij <b>{machine}</b>, en niets buiten je huis.",
    "ios": "iPhone en iPad",
    "ios1": '<a href="{link}">Download het profiel</a>, en sta het toe.',
    "ios2": "Open <b>Instellingen</b>, tik op <b>Profiel gedownload</b> en dan op <b>Installeer</b>. Vergelijk eerst "
    "het getal hieronder.",
    "ios3": "Open <b>Instellingen, Algemeen, Info, Instellingen vertrouwde certificaten</b>, en zet zwerm aan.",
    "android": "Android",
    "android1": '<a href="{link}">Download het certificaat</a>.',
    "android2": "Open <b>Instellingen</b>, zoek naar <b>CA-certificaat</b>, en tik op <b>Toch installeren</b>.",
    "android3": "Kies het bestand <b>zwerm.crt</b>. Vergelijk het getal hieronder bij <b>Vertrouwde inloggegevens, "
    "Gebruiker</b>.",
    "other": "Een andere computer",
    "other1": '<a href="{link}">Download het certificaat</a>.',
    "other2": "Open het, en vergelijk het getal hieronder met de SHA-256-vingerafdruk die er staat.",
    "other3": "Voeg het toe aan de autoriteiten die je systeem, of Firefox onder <b>Certificaten</b>, voor websites "
    "vertrouwt.",
    "compare": "Vergelijk",
    "compareText": "De terminal waarin zwerm draait toont hetzelfde getal. Is het een ander, stop dan: er zit iemand "
    "tussen.",
    "go": "Verder",
    "goText": "Komt er nu een waarschuwing, dan is de derde stap nog niet gedaan. Sommige browsers moeten één keer "
    "dicht.",
}

WORDS: Final[dict[str, Words]] = {"en": _EN, "nl": _NL}

STYLE: Final = """\
:root { color-scheme: light dark; --ground: #f4f6f9; --card: #fff; --ink: #1a2029; --quiet: #5a6573; --line: #dbe1e9;
  --accent: #2b5ea8; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161c; --card: #1b2129; --ink: #e6eaf0; --quiet: #9aa6b5;
  --line: #2d3642; --accent: #8db7f5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 36rem; margin: 0 auto; padding: 24px 16px 48px; }
h1 { font-size: 28px; line-height: 1.2; margin: 8px 0 16px; }
h2 { font-size: 20px; margin: 0 0 8px; }
section, details { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px;
  margin: 16px 0; }
summary { font-weight: 600; cursor: pointer; }
ol { padding-left: 24px; margin: 12px 0 0; }
li { margin: 8px 0; }
a { color: var(--accent); }
.mono { font: 15px/1.7 ui-monospace, monospace; margin: 0; }
.go { display: block; text-align: center; padding: 12px; border-radius: 8px; background: #2b5ea8; color: #fff;
  text-decoration: none; font-weight: 600; }
.quiet { color: var(--quiet); font-size: 14px; }
"""
