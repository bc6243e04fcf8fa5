#!/usr/bin/env bash
# What the program does when it is used rightly: runs.sh PROGRAM SOURCE WORK
set -euo pipefail
persona=$1 toyland=$2/examples/toyland work=$3
cat=$toyland/photos/things/thing_00.png
rm -rf "$work" && mkdir -p "$work"
die() { echo "FAILED: $*" >&2; exit 1; }
quick=(--model "$toyland/model" --num-inference-steps 2 --guidance-scale 1 --validation-prompts 'a {}')
thing=("${quick[@]}" --photos "$cat" --class-word cat)

echo '--- an interrupted run, gone on with, is the run that was not interrupted, bit for bit'
steps=(--method batex --steps 60 --batch 1 --checkpointing-steps 7)
"$persona" personalize "${thing[@]}" "${steps[@]}" --out "$work/whole" >"$work/whole.log" 2>&1
"$persona" personalize "${thing[@]}" "${steps[@]}" --out "$work/cut" >"$work/cut.log" 2>&1 & run=$!
for _ in $(seq 600); do [ "$(wc -l 2>/dev/null <"$work/cut/steps.csv" || echo 0)" -gt 5 ] && break; sleep 0.05; done
kill -TERM $run
code=0; wait $run || code=$?
[ $code = 130 ] || die "an interrupted run exits with $code: $(cat "$work/cut.log")"
grep -q -- '--resume --out' "$work/cut.log" || die "does not say how to resume: $(cat "$work/cut.log")"
mkdir "$work/cut/checkpoint.tmp-0123456789ab" && touch "$work/cut/notes.tmp-of-my-own"  # a killed writer's, and somebody's
"$persona" personalize --resume --out "$work/cut" >"$work/resumed.log" 2>&1 || die "$(cat "$work/resumed.log")"
[ ! -e "$work/cut/checkpoint.tmp-0123456789ab" ] && [ -e "$work/cut/notes.tmp-of-my-own" ] || die 'what a killed run left is not swept, or too much'
cmp "$work/whole/learned.safetensors" "$work/cut/learned.safetensors"
cmp <(cut -d, -f1-5 "$work/whole/steps.csv") <(cut -d, -f1-5 "$work/cut/steps.csv")

echo '--- interrupted before the first step, a run leaves a folder that can be begun in'
"$persona" personalize "${thing[@]}" --method dreambooth --class-images 4000 --class-inference-steps 10 --steps 2 --out "$work/early" >"$work/early.log" 2>&1 & run=$!
for _ in $(seq 600); do [ -n "$(ls "$work/early/cache/class_images" 2>/dev/null)" ] && break; sleep 0.05; done
kill -HUP $run
code=0; wait $run || code=$?
[ $code = 130 ] && grep -q 'stopped before the first step.*begin again with the same command' "$work/early.log" || die "exit code $code: $(cat "$work/early.log")"
"$persona" personalize "${thing[@]}" "${steps[@]}" --steps 1 --out "$work/early" >"$work/early.log" 2>&1 || die "$(cat "$work/early.log")"

echo '--- a terminal that is closed, of which shell and kernel both tell, ends a run after its step, and nohup does not'
"$persona" personalize "${thing[@]}" --method batex --steps 2000 --batch 1 --no-validate --out "$work/closed" >"$work/closed.log" 2>&1 & run=$!
for _ in $(seq 600); do [ "$(wc -l 2>/dev/null <"$work/closed/steps.csv" || echo 0)" -gt 5 ] && break; sleep 0.05; done
kill -HUP $run; kill -HUP $run
code=0; wait $run || code=$?
[ $code = 130 ] && [ -e "$work/closed/checkpoint/state.safetensors" ] || die "exit code $code: $(cat "$work/closed.log")"
nohup "$persona" personalize "${thing[@]}" --method batex --steps 60 --batch 1 --no-validate --out "$work/nohup" >"$work/nohup.log" 2>&1 & run=$!
for _ in $(seq 600); do [ "$(wc -l 2>/dev/null <"$work/nohup/steps.csv" || echo 0)" -gt 5 ] && break; sleep 0.05; done
kill -HUP $run
wait $run || die "nohup: $(cat "$work/nohup.log")"

echo '--- a reader of the progress that goes away ends no run'
code=0; { "$persona" personalize "${thing[@]}" --method batex --steps 30 --batch 1 --no-validate --out "$work/pipe" >/dev/null; } 2> >(head -n 1 >/dev/null) || code=$?
[ $code = 0 ] && [ -e "$work/pipe/learned.safetensors" ] || die "a broken pipe ends a run: exit code $code"

echo '--- a run that fails on the way is saved, and can be gone on with'
"$persona" personalize "${thing[@]}" --method batex --steps 400 --batch 1 --validation-steps 10 --out "$work/fails" >"$work/fails.log" 2>&1 & run=$!
for _ in $(seq 600); do [ -e "$work/fails/validation/step-000010.png" ] && break; sleep 0.05; done
rm -r "$work/fails/validation"
code=0; wait $run || code=$?
[ $code = 1 ] && grep -q 'is saved; go on with' "$work/fails.log" || die "exit code $code: $(cat "$work/fails.log")"
"$persona" personalize --resume --steps 40 --validation-steps 0 --out "$work/fails" >"$work/fails.log" 2>&1 || die "$(cat "$work/fails.log")"

echo '--- a folder that another run writes into is left alone'
mkdir "$work/locked"
exec 7>"$work/locked/.lock"
flock -n 7
code=0; "$persona" personalize "${thing[@]}" "${steps[@]}" --out "$work/locked" >"$work/locked.log" 2>&1 7>&- || code=$?
exec 7>&-
[ $code = 1 ] && grep -q 'another run is writing there' "$work/locked.log" || die "two runs in one folder: $(cat "$work/locked.log")"

echo '--- run.toml is the run; JSON says the same; flags go before'
"$persona" personalize --config "$work/whole/run.toml" --out "$work/again" >/dev/null 2>&1
cmp "$work/whole/learned.safetensors" "$work/again/learned.safetensors"
printf '{"method": "batex", "steps": 9, "model": "%s", "photos": "%s", "class_word": "cat", "validation_prompts": ["a {}"],
 "num_inference_steps": 1, "guidance_scale": 1, "special_tokens": true}' "$toyland/model" "$cat" >"$work/run.json"
"$persona" personalize --config "$work/run.json" --steps 2 --out "$work/json" >/dev/null 2>&1
grep -q '^steps = 2$' "$work/json/run.toml" || die 'a flag did not go before the file'
grep -q '^special_tokens = true$' "$work/json/run.toml" || die 'run.toml lacks what run.json said'

echo '--- a dry run writes nothing'
"$persona" personalize "${thing[@]}" --method lora --dry-run --out "$work/dry" >"$work/dry.log"
[ ! -e "$work/dry" ] || die 'it wrote'
for word in photos captions sum trains time memory; do grep -q "^$word " "$work/dry.log" || die "no $word: $(cat "$work/dry.log")"; done

echo '--- every method by its name'
header='{"feature":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}   '
{ printf "\\$(printf %03o ${#header})\\0\\0\\0\\0\\0\\0\\0"; printf %s "$header"; printf '\0\0\200?\0\0\200?\0\0\200?\0\0\200?'; } >"$work/feature.safetensors"
for method in $("$persona" methods | cut -d' ' -f1); do
  more=()
  case $method in
    cross_initialization | celeb_basis*) more=(--names "$toyland/names.txt") ;;&
    celeb_basis) more+=(--face-feature "$work/feature.safetensors") ;;
    svdiff | dreambooth | custom_diffusion) more=(--class-images 1) ;;&
    custom_diffusion) more+=(--word panda) ;;
    lora) more=(--weights cross_attention_kv+text_attention --rank 2) ;;
    textual_inversion) more=(--snr-gamma 5 --lr-scheduler cosine --lr-warmup-steps 1) ;;
  esac
  "$persona" personalize "${thing[@]}" --method "$method" "${more[@]}" --steps 2 --batch 1 --accumulate 1 --out "$work/all/$method" >"$work/$method.log" 2>&1 ||
    die "$method: $(cat "$work/$method.log")"
  "$persona" inspect "$work/all/$method/learned.safetensors" >"$work/inspect.log"
  grep -q 'Learned::load' "$work/inspect.log" || die "$method: $(cat "$work/inspect.log")"
done
grep -q "^captions = 'mixed'$" "$work/all/cross_initialization/run.toml" || die 'run.toml names other captions than a face is learned by'
"$persona" personalize "${thing[@]}" --method batex --as-published --steps 1 --out "$work/published" >/dev/null 2>&1
for said in 'basis_rank = 1' 'special_tokens = true' "basis_start = 'first'"; do
  grep -qF "$said" "$work/published/run.toml" || die "not the published BaTex: no $said"
done

echo '--- every method is on the page of its paper'
"$persona" methods | while read -r method _; do
  grep -rqF -- "--method $method" "$2/docs/methods" || die "no page of docs/methods names --method $method"
done
echo '--- pictures, forms, the rest'
"$persona" generate "${quick[@]:0:6}" --learned "$work/whole/learned.safetensors" "$work/all/lora/learned.safetensors" \
  --prompt='[a <one>, red]' 'a <one>' --sampler ddim --eta 0.5 --num-images 2 --out "$work/pictures" >"$work/pictures.log"
[ "$(grep -c '\.png$' "$work/pictures.log")" = 5 ] || die "$(cat "$work/pictures.log")"
grep -q '/001-a-one-red.png' "$work/pictures.log" || die "brackets were read: $(cat "$work/pictures.log")"
"$persona" generate "${quick[@]:0:6}" --learned "$work/all/lora/learned.safetensors" --prompt 'a {} in the snow' --out "$work/pictures" >"$work/more.log"
grep -q '/005-a-sks-cat-in-the-snow.png' "$work/more.log" || die "no {} of weights, or a picture was overwritten: $(cat "$work/more.log")"
[ "$("$persona" methods 2>/dev/null >/dev/full; echo $?)" = 1 ] || die 'a full disk at standard output is no failure'
"$persona" convert "$work/whole/learned.safetensors" --to diffusers --token '<kit>' --out "$work/forms" >/dev/null
"$persona" inspect "$work/forms/learned_embeds.safetensors" | grep -q '^token  *<kit>, 1 x 128' || die 'the token was not renamed'
"$persona" convert "$work/all/lora/learned.safetensors" --model "$toyland/model" --to kohya_lora --out "$work/forms" >/dev/null
"$persona" inspect "$work/forms/learned-kohya_lora.safetensors" | grep -q 'kohya.*rank 2' || die 'no LoRA of rank 2'
"$persona" generate "${quick[@]:0:6}" --learned "$work/forms/learned-kohya_lora.safetensors" --prompt 'a sks cat' --out "$work/kohya" >/dev/null
"$persona" convert "$work/all/lora/learned.safetensors" --model "$toyland/model" --to peft_lora --out "$work/forms" >/dev/null
for part in unet text_encoder; do
  [ -s "$work/forms/learned-peft_lora/$part/adapter_config.json" ] || die "no settings beside peft's file: $(ls -R "$work/forms")"
  "$persona" generate "${quick[@]:0:6}" --learned "$work/forms/learned-peft_lora/$part/adapter_model.safetensors" --prompt 'a sks cat' \
    --out "$work/peft" >/dev/null
done
"$persona" convert "$work/all/svdiff/learned.safetensors" --model "$toyland/model" --to model --out "$work/baked" >/dev/null
cp -r "$toyland/model" "$work/base"
"$persona" convert "$work/all/svdiff/learned.safetensors" --model "$work/base" --to model --out "$work/base" 2>"$work/onto.log" && die 'a model was overwritten'
grep -q 'holds a model already' "$work/onto.log" && diff -r "$toyland/model" "$work/base" || die "$(cat "$work/onto.log")"
"$persona" doctor --model "$work/baked" --out "$work" >"$work/doctor.log" || die "$(cat "$work/doctor.log")"
grep -q 'nothing here would fail' "$work/doctor.log" || die "$(cat "$work/doctor.log")"
"$persona" doctor --device cuda:9 --out "$work" >"$work/doctor.log" && die 'a device that is not there would not fail'
grep -q '^NO  device' "$work/doctor.log" || die "$(cat "$work/doctor.log")"
"$persona" completion bash >"$work/completion"
words() { bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _persona_words; echo ${COMPREPLY[*]}' - "$work/completion" "$@"; }
[ "$(words persona gen)" = generate ] || die "a command is not completed: $(words persona gen)"
[ "$(words persona personalize --method bat)" = batex ] || die 'a method is not completed'
[ "$(words persona generate --guid)" = --guidance-scale ] || die 'a flag is not completed'
[ "$(words persona convert x --to kohya_l)" = kohya_lora ] || die 'a form is not completed'
if command -v zsh >/dev/null; then
  mkdir -p "$work/zsh" && "$persona" completion zsh >"$work/zsh/_persona"
  [ "$(timeout 30 zsh -f "$(dirname "$0")/completion.zsh" "$work/zsh" 2>&1 | tail -n 1)" = found ] || die 'zsh does not complete at the first tab'
fi
echo 'all as it should be'
