"""The sentences for admins. They are in English only and not marked for translation, as those of
`bots.conversation.texts` are: few people read them, and all operators read English.
"""

from db import Depth, Origin, Verdict

COMMANDS = {
    "review": "Say what faces show, the most useful first",
    "retrain": "Learn from what people said",
    "models": "Versions of the model: promote, go back, try in shadow",
    "rollback": "Go back to the version before",
    "promote": "Serve a version, if need be with a reason",
}
"""The description of each command in the platforms' menus."""
DEPTH_OPTION = "adapt: under a minute, the last layers; full: the whole network, much longer"
VERSION_OPTION = "The version's name, as /models shows it"
REASON_OPTION = "Why it is to be served although it is not offered"

IN_PRIVATE = "Faces of people are not for a group. Please write to me in a private chat: /{command}"
NO_DATABASE = (
    "I can't reach the database right now; photos are still answered by the served model. Please try again in a minute."
)
FAILED = "Something went wrong on my side; the log has the details. The same model is still served. Please try again."

VERDICTS = {
    Verdict.ANGRY: "😠 Angry",
    Verdict.DISGUST: "🤢 Disgusted",
    Verdict.FEAR: "😨 Afraid",
    Verdict.HAPPY: "😄 Happy",
    Verdict.NEUTRAL: "😐 Neutral",
    Verdict.SAD: "😢 Sad",
    Verdict.SURPRISE: "😲 Surprised",
    Verdict.NOT_A_FACE: "🚫 Not a face",
    Verdict.UNSURE: "🤷 Unsure",
}
"""The button for each `db.Verdict`."""
SKIP = "⏭ Skip"
UNDO = "↩ Undo"
FACE_TO_REVIEW = "The model says {model}.\n{people}\nShown because: {why}."
PEOPLE_SAID = "People said: {words}."
ASKED_FOR = "In a game, its sender was asked for: {words}."
PEOPLE_SAID_NOTHING = "Nobody has said anything yet."
AGREEMENT = "Where two admins labelled the same face they agree in {same} of {pairs} cases ({share})."
NO_AGREEMENT = "No face has been labelled by two admins yet."
LABELLED = "Kept: {verdict}."
FACE_GONE = "That face was deleted meanwhile, as its owner may ask at any time; no label is needed."
SKIPPED = "Skipped."
UNDONE = "Your last label is taken back."
UNDONE_ELSEWHERE = "Your last label is taken back; its face is no longer in your queue."
NOTHING_TO_UNDO = "There is no label of yours to take back."
QUEUE_EMPTY = (
    "That's all: no face is waiting for a label. New ones come from people who allow it in /privacy. /retrain learns "
    "from what there is."
)
ONLY_SKIPPED_LEFT = "Only faces that you skipped are left. /review shows them again."

WHICH_DEPTH = f"Write /retrain or /retrain followed by one of: {', '.join(Depth)}."
RETRAINING = "Retraining ({depth}), asked for by {asked_by}\n{bar} {share}\n{step}"
ASKED_BY_YOU = "you"
STARTING = "Starting …"
CANCEL = "Cancel"
CANCELLING = "It will stop in a moment."
NOT_RUNNING = "That retraining has ended already."
LOST_FROM_SIGHT = (
    "I can't reach the database, so I can't show the retraining's progress here; it continues by itself. In a minute, "
    "/retrain shows the progress, and /models what it made."
)
ENDED = {
    "done": "The retraining is done. {message}",
    "failed": "The retraining failed; the same model is still served. {message} /retrain tries again.",
    "cancelled": "The retraining was cancelled; the same model is still served. {message}",
    "lost": "The retraining's process died; the same model is still served. {message} /retrain tries again.",
}
"""By `db.State`."""
REPORT = "{version} is ready.\nIt learned from {faces} faces of {people} people.\n{judged}\n{guard}\n{verdict}"
JUDGED = (
    "Of {faces} held-out faces of {people} people it reads {candidate} as people say, the served version {served}: "
    "{gain} points (95 % interval {low} to {high})."
)
NOT_JUDGED = "There was no held-out face to judge it by."
GUARD = "Of the {faces} faces of the guard set it reads {candidate} right, the served version {served}."
OFFERED = "{why} You can promote it."
NOT_OFFERED = (
    "It is not offered: {why}\nIf you know better, promote it in the console, with /promote {version} REASON here, or "
    'on the command line: python -m training promote {version} --because "REASON"'
)

PROMOTE = "Promote {version}"
SHADOW = "Shadow {version}"
END_SHADOW = "End shadow"
ROLL_BACK = "Go back to {version}"
HOW_TO_PROMOTE = "Write /promote VERSION, or /promote VERSION REASON. /models lists the versions."
NO_MODELS = "No version is stored yet; the bot stores its first one when it starts."
SERVED = "✅ {version}: served now; {age} old, {origin}{judged}"
IN_SHADOW = "👥 {version}: in shadow, {agreement}; {age} old, {origin}{judged}"
NOT_SERVED = "• {version}: {age} old, {origin}{judged}"
CLEARED_AWAY = "• {version}: {age} old, {origin}, its files cleared away"
SHADOW_AGREES = "same emotion as the served one on {same} of {faces} faces ({share})"
SHADOW_NEW = "no face read yet"
ORIGINS = {
    Origin.SHIPPED: "came with the software",
    Origin.ADAPT: "adapted",
    Origin.FULL: "fully retrained",
    Origin.FITTED: "fitted by a recipe",
    Origin.UNKNOWN: "of unknown origin",
}
"""By `db.Origin`."""
GAIN = ", {gain} points on feedback ({low} to {high}), guard {guard} points, {offer}"
IS_OFFERED = "offered"
IS_NOT_OFFERED = "not offered"
MORE_VERSIONS = "… and {count} older."
WAY_BACK = "{served} is served now. Before it, {back} was."
NO_WAY_BACK = "{served} is the first version; there is none to go back to."
VERSION_GONE = "That version is no longer there. Look again."
PROMOTED = "{version} is served from now on, in place of {before}; every copy of the bot serves it within seconds."
REASON_KEPT = "Your reason is kept with it."
ROLLED_BACK = "Back to {version}; every copy of the bot serves it within seconds."
SHADOW_BEGUN = "{version} reads every new photo silently from now on; /models shows how far it agrees."
SHADOW_ENDED = "No version runs in shadow any more."
SAY_WHY = "{why} To do so here: /promote {version} REASON"
