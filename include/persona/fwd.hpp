#pragma once
// Names alone, for headers that only mention them: no LibTorch, nothing to instantiate.

namespace persona {

class Error;
class Random;
class Run;
class Session;
class Step;
struct Batch;
struct BindContext;
struct Bound;
struct Conditioning;
struct Description;
struct Field;
struct Image;
struct Leaf;
struct Learned;
struct Moments;
struct Photo;
struct RowQuery;
struct RowSet;
struct StepView;
struct Subject;
struct TrainOptions;
struct Weight;
struct WeightRef;

struct AdamW;
struct CrossInit;
struct FreeRows;
struct L2Reg;
struct RandomFlip;
struct TokenInit;

}  // namespace persona
