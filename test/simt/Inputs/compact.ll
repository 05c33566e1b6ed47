; A warp gathers its positive values in their order, and turns the kept ones around through shared memory. One parameter by value, as the
; compiler's kernels have: { x, out, count }.
target triple = "nvptx64-nvidia-cuda"

@kept = internal addrspace(3) global [32 x i32] undef, align 4

define ptx_kernel void @compact(ptr byval([3 x i64]) align 8 %launch) {
entry:
  %lane = call i32 @llvm.nvvm.read.ptx.sreg.laneid()
  %x.bits = load i64, ptr %launch
  %out.at = getelementptr i64, ptr %launch, i64 1
  %out.bits = load i64, ptr %out.at
  %count.at = getelementptr i64, ptr %launch, i64 2
  %count.bits = load i64, ptr %count.at
  %x = inttoptr i64 %x.bits to ptr
  %out = inttoptr i64 %out.bits to ptr
  %count = inttoptr i64 %count.bits to ptr
  %from = getelementptr i32, ptr %x, i32 %lane
  %value = load i32, ptr %from
  %positive = icmp sgt i32 %value, 0
  %mask = call i32 @llvm.nvvm.vote.ballot.sync(i32 -1, i1 %positive)
  %bit = shl i32 1, %lane
  %below = sub i32 %bit, 1
  %before = and i32 %mask, %below
  %place = call i32 @llvm.ctpop.i32(i32 %before)
  br i1 %positive, label %keep, label %meet

keep:
  %slot = getelementptr [32 x i32], ptr addrspace(3) @kept, i32 0, i32 %place
  store i32 %value, ptr addrspace(3) %slot
  br label %meet

meet:
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  %number = call i32 @llvm.ctpop.i32(i32 %mask)
  %isKept = icmp ult i32 %lane, %number
  br i1 %isKept, label %turn, label %exit

turn:
  %last = sub i32 %number, 1
  %other = sub i32 %last, %lane
  %read = getelementptr [32 x i32], ptr addrspace(3) @kept, i32 0, i32 %other
  %turned = load i32, ptr addrspace(3) %read
  %to = getelementptr i32, ptr %out, i32 %lane
  store i32 %turned, ptr %to
  store i32 %number, ptr %count
  br label %exit

exit:
  ret void
}

declare i32 @llvm.nvvm.read.ptx.sreg.laneid()
declare i32 @llvm.nvvm.vote.ballot.sync(i32, i1)
declare void @llvm.nvvm.bar.warp.sync(i32)
declare i32 @llvm.ctpop.i32(i32)
